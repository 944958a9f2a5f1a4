"""How many jobs a worker claims beyond its slots."""

from datetime import timedelta
from typing import Any, cast

import anyio
import pytest

from background_jobs.support import TYPES, attempt_of, new_job
from modhost_background_jobs.model import ClaimedJob, CurrentWorker, Lease
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.claiming.slots import Slots
from moving_clock import START, MovingClock

SLOTS = 2


def attempt(data: str) -> Attempt:
    lease = Lease(new_job().id, 1)
    return attempt_of(ClaimedJob(lease, TYPES[0], data, 1, 2, None, START, START, 3, 0))


class NothingToDo:
    """Stands for the executor, and for a finisher that stores outcomes at once."""

    def __init__(self, attempts: AttemptRegistry) -> None:
        self._attempts = attempts

    async def run(self, _attempt: Attempt) -> None:
        pass

    def add(self, attempt: Attempt, _outcome: None) -> None:
        self._attempts.remove([attempt])


@pytest.mark.anyio
@pytest.mark.parametrize(("characters", "room"), [(10, 42), (1_000_000, 6), (5_000_000, 2)])
async def test_jobs_with_much_data_are_not_claimed_far_ahead(characters: int, room: int) -> None:
    """A hundred of them were, whatever they weighed."""
    attempts = AttemptRegistry()
    clock = MovingClock()
    clock.advance(timedelta(days=1))
    nothing = cast(Any, NothingToDo(attempts))
    slots = Slots(SLOTS, attempts, nothing, nothing, clock, CurrentWorker())
    with anyio.fail_after(10):
        async with slots.opened():
            slots.take([attempt("x" * characters) for _ in range(40)])
            await attempts.wait_until_left(0)
            assert await slots.room() == room
