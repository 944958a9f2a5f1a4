"""Limits, order, turns, unique keys and pauses hold, whatever fails.

MODHOST_SIMULATIONS=1000 pytest tests/simulation/flow
MODHOST_SIMULATION_SEED=27 pytest tests/simulation/flow
"""

from pathlib import Path

import pytest

from simulation.flow.storm import DEFAULT, FlowStorm
from simulation.flow.trial import found_in
from simulation.links.databases import open_backend
from simulation.seeds import report, seeds
from simulation.virtual_time import VirtualClock
from simulation.world import open_world

HERE = Path(__file__).parent


@pytest.mark.timeout(3600)  # As many seeds as somebody asks for.
def test_whatever_fails_flow_control_is_exact_and_nothing_is_held_forever(
    database_url: str,
) -> None:
    clock = VirtualClock()
    with open_world(database_url, clock) as world, open_backend(world) as backend:
        dialect = world.database.dialect
        for seed in seeds(DEFAULT[dialect]):
            storm = FlowStorm(world, backend, clock, seed)
            found = found_in(storm)
            assert not found, report(HERE, seed, dialect, storm.history, found)
