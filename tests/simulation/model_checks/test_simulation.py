"""Random histories of the queue: workers die, wake up, repeat themselves and come too late.

Hypothesis finds the shortest history that fails, and prints it with what replays it. There are
more and other histories than those of the default run:

    MODHOST_SIMULATIONS=1000 pytest tests/simulation/model_checks --hypothesis-seed=1
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from modhost_background_jobs.storage.steps import postgres, sqlite
from moving_clock import MovingClock
from simulation.model_checks.machine import QueueMachine
from simulation.world import World, open_world

SIMULATIONS = os.environ.get("MODHOST_SIMULATIONS")


@pytest.mark.timeout(600)  # What fails is made as short as it can be, which takes minutes.
def test_every_history_of_the_queue_is_one_that_the_model_allows(database_url: str) -> None:
    clock = MovingClock()
    with open_world(database_url, clock) as world:
        run(world, clock, print_blob=True)


@pytest.mark.timeout(600)
def test_a_step_that_is_stored_without_its_fence_is_noticed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfenced = postgres.SAVE.replace("AND fence = $2", "AND $2::bigint > 0")
    monkeypatch.setattr(postgres, "SAVE", unfenced)
    monkeypatch.setattr(sqlite, "IS_HELD", sqlite.IS_HELD.replace("AND fence = ?2", "AND ?2 > 0"))
    clock = MovingClock()
    with open_world(database_url, clock) as world, pytest.raises(AssertionError) as noticed:
        run(world, clock, phases=[Phase.generate])
    assert noticed.traceback[-1].name == "remember_by"


def run(world: World, clock: MovingClock, **more: Any) -> None:
    """Run histories on a database."""
    machine = type("Machine", (QueueMachine,), {"world": world, "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(SIMULATIONS or 15),
            stateful_step_count=60,
            derandomize=SIMULATIONS is None,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
