"""The simulation notices flow control that is done wrongly, within 200 seeds.

Each variant begins with a seed that noticed it. Every change of what workers ask the database for
makes other histories of the seeds, so that the next ones are tried too.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Final

import pytest

from modhost_background_jobs.model import Flow, LimitKey, UniqueKey
from simulation.flow import broken, broken_inserts
from simulation.flow.storm import UNTIL, FlowStorm
from simulation.flow.trial import found_in
from simulation.links.databases import Backend, open_backend
from simulation.links.postgres import PostgresBackend
from simulation.virtual_time import VirtualClock
from simulation.workers.hosts import OPTIONS
from simulation.world import World, open_world
from sweeps import swept

SEEDS: Final = 200


class Rush(FlowStorm):
    """Half a minute in which many jobs of the same kinds come."""

    seconds = 30.0
    pause_seconds = 0.4
    faults: ClassVar = 0.1
    kinds: ClassVar[Sequence[Flow]]

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        self.rate = self.faults
        self._acts |= {self._pause: 4}

    def _any_kind(self) -> Flow:
        return self.random.choice(self.kinds)


class OfLimits(Rush):
    kinds = (Flow(limits=(LimitKey("one", ""),)), Flow(limits=(LimitKey("two", ""),)))


class OfRates(Rush):
    faults = 0.25
    kinds = (Flow(limits=(LimitKey("rate", ""),)), Flow(limits=(LimitKey("slow", ""),)))


class OfTurns(Rush):
    """More jobs than two workers with a slot each can run."""

    faults = 0.0
    pause_seconds = 0.15
    kinds = (Flow(fair_key=""),)

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        self.options = OPTIONS.model_copy(update={"max_concurrency": 1})


class OfUnique(Rush):
    """Calls for few keys, so that many of them meet."""

    pause_seconds = 0.1
    kinds = (Flow(),)

    def _any_unique_key(self, of: str) -> UniqueKey:
        until = self.random.choice(UNTIL)
        return UniqueKey(digest=f"{until} {of}", until=until, replaces=False)


class OfQueues(Rush):
    faults = 0.0
    kinds = (Flow(queue="mail"), Flow(queue="bulk"))


@pytest.mark.parametrize(
    ("storm", "change", "seed", "violated"),
    [
        (OfLimits, broken.checked_before, 0, "no key runs more than its concurrency"),
        (OfLimits, broken.freed_before, 22, "no key runs more than its concurrency"),
        (OfLimits, broken.freed_afterwards, 0, "nothing is lost"),
        (OfRates, broken.timed_before, 10, "no window has more starts than the rate"),
        (OfLimits, broken.held_ones_passed, 67, "jobs of a key start in order"),
        *swept(
            [
                (OfTurns, broken_inserts.without_turns, 0, "fair keys take turns"),
                (OfTurns, broken_inserts.without_memory, 0, "fair keys have one turn in a round"),
                (OfTurns, broken_inserts.without_a_front, 0, "new fair keys go first"),
            ],
            always=[],
        ),
        (OfUnique, broken_inserts.read_before_insert, 8, "no two jobs of a unique key live"),
        (OfUnique, broken_inserts.read_before_insert, 15, "no two jobs come within a period"),
        (OfQueues, broken.pauses_read_rarely, 3, "nothing paused starts"),
    ],
)
def test_what_is_done_wrongly_violates_what_is_promised(
    sqlite_url: str,
    storm: type[Rush],
    change: Callable[[], AbstractContextManager[None]],
    seed: int,
    violated: str,
) -> None:
    assert violated in _found(sqlite_url, storm, change, seed, violated)


def test_rates_by_the_clocks_of_workers_violate_what_is_promised(postgres_url: str) -> None:
    violated = "no window has more starts than the rate"
    assert violated in _found(postgres_url, OfRates, nullcontext, 1, violated, by_own_clock=True)


def _found(
    url: str,
    storm: type[Rush],
    change: Callable[[], AbstractContextManager[None]],
    first: int,
    violated: str,
    *,
    by_own_clock: bool = False,
) -> str:
    clock, found = VirtualClock(), ""
    with open_world(url, clock) as world, open_backend(world) as backend, change():
        if isinstance(backend, PostgresBackend):
            backend.counts_by_own_clock = by_own_clock
        for seed in (*range(first, SEEDS), *range(first)):
            found += "\n".join(found_in(storm(world, backend, clock, seed)))
            if violated in found:
                break
    return found
