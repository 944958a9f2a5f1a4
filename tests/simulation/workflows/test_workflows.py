"""Jobs run when their conditions hold, and are cancelled when they cannot, whatever fails.

MODHOST_SIMULATIONS=1000 pytest tests/simulation/workflows
MODHOST_SIMULATION_SEED=27 pytest tests/simulation/workflows
"""

from pathlib import Path

import pytest

from simulation.links.databases import open_backend
from simulation.seeds import report, seeds
from simulation.virtual_time import VirtualClock
from simulation.workflows.storm import DEFAULT, WorkflowStorm
from simulation.workflows.trial import found_in
from simulation.world import open_world

HERE = Path(__file__).parent


@pytest.mark.timeout(3600)  # As many seeds as somebody asks for.
def test_whatever_fails_each_job_runs_exactly_when_its_condition_holds(database_url: str) -> None:
    clock = VirtualClock()
    with open_world(database_url, clock) as world, open_backend(world) as backend:
        dialect = world.database.dialect
        for seed in seeds(DEFAULT[dialect]):
            storm = WorkflowStorm(world, backend, clock, seed)
            found = found_in(storm)
            assert not found, report(HERE, seed, dialect, storm.history, found)
