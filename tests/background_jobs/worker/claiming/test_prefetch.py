"""How many jobs a worker claims beyond its slots."""

from datetime import timedelta

import anyio
import pytest

from background_jobs.support import new_job
from modhost_background_jobs.model import ClaimedJob, Lease
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.claiming.slots import Slots
from moving_clock import START, MovingClock

SLOTS = 2


def attempt(data: str) -> Attempt:
    lease = Lease(new_job().id, 1)
    claimed = ClaimedJob(lease, "tests.Job", data, 1, 2, None, START, START, 3, 0)
    return Attempt(claimed, "task")


@pytest.mark.anyio
@pytest.mark.parametrize(("characters", "room"), [(10, 42), (1_000_000, 6), (5_000_000, 2)])
async def test_jobs_with_much_data_are_not_claimed_far_ahead(characters: int, room: int) -> None:
    """A hundred of them were, whatever they weighed."""
    attempts = AttemptRegistry()
    clock = MovingClock()
    clock.advance(timedelta(days=1))
    slots = Slots(SLOTS, attempts, clock)
    over, ready = anyio.Event(), anyio.Event()

    async def run(each: Attempt) -> None:
        attempts.remove(each)
        attempts.notify()

    async with anyio.create_task_group() as group:
        group.start_soon(slots.own_tasks, run, over, ready.set)
        with anyio.fail_after(10):
            await ready.wait()
            slots.take([attempt("x" * characters) for _ in range(40)])
            await attempts.at_most(0)
            assert await slots.room() == room
        over.set()
