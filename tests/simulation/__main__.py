"""Simulate many seeds: `python -m simulation --help`."""

import argparse
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from conftest import migrate_all
from postgres import Postgres
from simulation.flow.storm import FlowStorm
from simulation.flow.trial import found_in as found_in_flow
from simulation.links.databases import open_backend
from simulation.storm import Storm
from simulation.virtual_time import VirtualClock
from simulation.workers.invariants import violations
from simulation.workflows.storm import WorkflowStorm
from simulation.workflows.trial import found_in as found_in_workflows
from simulation.world import World, open_world

Trial = Callable[[World, VirtualClock, int], list[str]]

CHUNK: Final = 20
DATABASES: Final = ("sqlite", "postgresql")


class Chunk(NamedTuple):
    """Seeds that one process simulates one after another, on one database."""

    kind: str
    database: str
    first: int
    end: int


class Failure(NamedTuple):
    """A seed that violates something, and what."""

    chunk: Chunk
    seed: int
    found: list[str]


@dataclass
class Done:
    """How many seeds of a chunk were simulated, and which failed."""

    seeds: int = 0
    failures: list[Failure] = field(default_factory=list)


def _of_workers(world: World, clock: VirtualClock, seed: int) -> list[str]:
    with open_backend(world) as backend:
        return violations(Storm(world, backend, clock, seed).run())


def _of_flow(world: World, clock: VirtualClock, seed: int) -> list[str]:
    with open_backend(world) as backend:
        return found_in_flow(FlowStorm(world, backend, clock, seed))


def _of_workflows(world: World, clock: VirtualClock, seed: int) -> list[str]:
    with open_backend(world) as backend:
        return found_in_workflows(WorkflowStorm(world, backend, clock, seed))


KINDS: Final[dict[str, Trial]] = {
    "workers": _of_workers,
    "flow": _of_flow,
    "workflows": _of_workflows,
}


@contextmanager
def _database(kind: str) -> Iterator[str]:
    """Offer the URL of a migrated database of a kind."""
    if kind == "postgresql":
        with Postgres.start() as server, server.lent() as url:
            migrate_all(url)
            yield url
    else:
        memory = Path("/dev/shm")  # noqa: S108 - where it is, files are quicker there
        with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            migrate_all(url := f"sqlite:///{folder}/simulation.db")
            yield url


def simulate(chunk: Chunk, until: float) -> Done:
    """Simulate the seeds of a chunk; none that would begin after `until`, which is monotonic."""
    done = Done()
    if time.monotonic() >= until:
        return done
    clock, trial = VirtualClock(), KINDS[chunk.kind]
    with _database(chunk.database) as url, open_world(url, clock) as world:
        for seed in range(chunk.first, chunk.end):
            if time.monotonic() >= until:
                break
            done.seeds += 1
            if found := trial(world, clock, seed):
                done.failures.append(Failure(chunk, seed, found))
    return done


def _chunks(arguments: argparse.Namespace) -> list[Chunk]:
    """Return all chunks, those of all kinds in turn, so that an early end has tried all kinds."""
    databases = DATABASES if arguments.database == "both" else [arguments.database]
    kinds = list(KINDS) if arguments.kind == "all" else [arguments.kind]
    end = arguments.first + arguments.seeds
    return [
        Chunk(kind, database, first, min(first + CHUNK, end))
        for first in range(arguments.first, end, CHUNK)
        for database in databases
        for kind in kinds
    ]


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser("simulation", description="Simulate many seeds of all kinds.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="begin no seed after so many minutes"
    )
    return parser.parse_args()


def main() -> int:
    """Simulate, print what fails and how to repeat it, and return the exit code."""
    arguments = _parsed()
    began, simulated, failed = time.monotonic(), Counter[str](), 0
    until = began + 60 * arguments.minutes
    with ProcessPoolExecutor(arguments.processes) as pool:
        running = {pool.submit(simulate, chunk, until): chunk for chunk in _chunks(arguments)}
        for future in as_completed(running):
            done, chunk = future.result(), running[future]
            simulated[f"{chunk.kind} on {chunk.database}"] += done.seeds
            failed += len(done.failures)
            for failure in done.failures:
                say(_described(failure))
    minutes = (time.monotonic() - began) / 60
    of_each = ", ".join(f"{count} of {what}" for what, count in sorted(simulated.items()))
    say(f"{sum(simulated.values())} seeds in {minutes:.1f} minutes: {of_each}. {failed} fail.")
    return 1 if failed else 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _described(failure: Failure) -> str:
    kind, database, *_ = failure.chunk
    again = f"--kind {kind} --database {database} --first {failure.seed} --seeds 1"
    head = f'{kind} on {database}: make simulate ARGUMENTS="{again}"'
    return "\n  ".join([head, *failure.found])


if __name__ == "__main__":
    sys.exit(main())
