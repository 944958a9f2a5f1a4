"""Whole workers in virtual time, while processes die, calls fail, and people cancel and retry.

Each seed is a history of its own, and always the same one. There are more than those of the
default run; a seed that fails is reported with the command that repeats it:

    MODHOST_SIMULATIONS=1000 pytest tests/simulation/workers
    MODHOST_SIMULATION_SEED=27 pytest tests/simulation/workers
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from simulation.links.databases import open_backend
from simulation.seeds import report, seeds
from simulation.storm import Storm
from simulation.virtual_time import VirtualClock
from simulation.workers.invariants import violations
from simulation.world import open_world

DEFAULT: dict[str, Sequence[int]] = {"sqlite": (*range(10), 18), "postgresql": (0, 3, 6)}
"""The seeds of the default run, among them those that failed in trials without the fence, without
the staleness check of rescues, and without the search for lost claims."""
HERE = Path(__file__).parent


@pytest.mark.timeout(3600)  # As many seeds as somebody asks for.
def test_whatever_fails_nothing_is_lost_and_nothing_runs_twice_at_a_time(
    database_url: str,
) -> None:
    clock = VirtualClock()
    with open_world(database_url, clock) as world, open_backend(world) as backend:
        dialect = world.database.dialect
        for seed in seeds(DEFAULT[dialect]):
            history = Storm(world, backend, clock, seed).run()
            found = violations(history)
            assert not found, report(HERE, seed, dialect, history, found)


def test_a_seed_always_gives_the_same_history(sqlite_url: str) -> None:
    clock = VirtualClock()
    with open_world(sqlite_url, clock) as world, open_backend(world) as backend:
        histories = {Storm(world, backend, clock, 5).run().describe() for _ in range(2)}
    assert len(histories) == 1
