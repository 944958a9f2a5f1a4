"""Whole workers in virtual time, while processes die, calls fail and people change their minds.

Each seed is a history of its own, and always the same one. There are more than those of the
default run; a seed that fails is told with the command that repeats it alone:

    MODHOST_SIMULATIONS=1000 pytest tests/simulation/workers
    MODHOST_SIMULATION_SEED=27 pytest tests/simulation/workers
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulation.workers.databases import open_backend
from simulation.workers.history import History
from simulation.workers.invariants import wrongs
from simulation.workers.storm import Storm
from simulation.workers.virtual_time import VirtualClock
from simulation.world import open_world

DEFAULT: dict[str, Sequence[int]] = {"sqlite": (*range(10), 18), "postgresql": (0, 3, 6)}
"""The seeds that are tried if nobody asks for others: among them those that noticed it, when it was
tried, that the fence, the staleness of a rescue or the regard to orphans had been taken out."""


def seeds(dialect: str) -> Sequence[int]:
    seed = os.environ.get("MODHOST_SIMULATION_SEED")
    if seed is not None:
        return [int(seed)]
    count = os.environ.get("MODHOST_SIMULATIONS")
    return DEFAULT[dialect] if count is None else range(int(count))


def report(seed: int, dialect: str, history: History, found: list[str]) -> str:
    """What to read when a seed fails: what is wrong, how to repeat it, and all that happened."""
    here = Path(__file__).parent.relative_to(Path(__file__).parents[3])
    again = f"MODHOST_SIMULATION_SEED={seed} .venv/bin/pytest -n0 {here} -k {dialect}"
    return "\n".join(
        [f"The seed {seed} fails; repeat it with", again, "", *found, "", history.reported()]
    )


@pytest.mark.timeout(3600)  # As many seeds as somebody asks for.
def test_whatever_goes_wrong_nothing_is_lost_and_nothing_runs_twice_at_a_time(
    database_url: str,
) -> None:
    clock = VirtualClock()
    with open_world(database_url, clock) as world, open_backend(world) as backend:
        dialect = world.database.dialect
        for seed in seeds(dialect):
            history = Storm(world, backend, clock, seed).run()
            found = wrongs(history)
            assert not found, report(seed, dialect, history, found)


def test_a_seed_always_tells_the_same_history(sqlite_url: str) -> None:
    clock = VirtualClock()
    with open_world(sqlite_url, clock) as world, open_backend(world) as backend:
        reported = {Storm(world, backend, clock, 5).run().reported() for _ in range(2)}
    assert len(reported) == 1
