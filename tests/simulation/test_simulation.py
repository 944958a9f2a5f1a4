"""Random histories of the queue: workers die, wake up, repeat themselves and come too late.

Hypothesis finds the shortest history that fails, and prints it with what replays it. There are
more and other histories than those of the default run:

    MODHOST_SIMULATIONS=1000 pytest tests/simulation --hypothesis-seed=1
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from moving_clock import MovingClock
from simulation.machine import QueueMachine
from simulation.world import open_world

SIMULATIONS = os.environ.get("MODHOST_SIMULATIONS")


@pytest.mark.timeout(600)  # What fails is made as short as it can be, which takes minutes.
def test_every_history_of_the_queue_is_one_that_the_model_allows(database_url: str) -> None:
    clock = MovingClock()
    with open_world(database_url, clock) as world:
        machine = type("Machine", (QueueMachine,), {"world": world, "clock": clock})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=int(SIMULATIONS or 15),
                stateful_step_count=60,
                derandomize=SIMULATIONS is None,
                database=None,
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
