"""What was claimed ahead begins only while it is surely this worker's, and wanted here."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import pytest

from background_jobs.support import TYPES, attempt_of, new_job
from modhost_background_jobs.model import ClaimedJob, CurrentWorker, Lease, Released
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.claiming.slots import Slots
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

LEASE_SECONDS = 0.8
"""Less than what a job waits for a slot at most: nothing is given back for that."""


@dataclass
class OneSlot:
    """Stands for the executor, whose first job takes until the gate opens, and the finisher."""

    clock: MovingClock = field(default_factory=MovingClock)
    own: CurrentWorker = field(default_factory=CurrentWorker)
    attempts: AttemptRegistry = field(default_factory=AttemptRegistry)
    begun: list[Attempt] = field(default_factory=list)
    released: list[Attempt] = field(default_factory=list)
    gate: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, attempt: Attempt) -> None:
        self.begun.append(attempt)
        await self.gate.wait()

    def add(self, attempt: Attempt, outcome: Released | None) -> None:
        attempt.is_finished = True
        if outcome is not None:
            self.released.append(attempt)
        self.attempts.remove([attempt])

    @asynccontextmanager
    async def with_three_jobs(self) -> AsyncIterator[list[Attempt]]:
        """Begin one of three jobs, and hold the others."""
        self.own.begin("w1", LEASE_SECONDS)
        self.own.renew(self.clock.monotonic())
        nothing = cast(Any, self)
        slots = Slots(1, self.attempts, nothing, nothing, self.clock, self.own)
        with anyio.fail_after(10):
            async with slots.opened():
                jobs = [_attempt() for _ in range(3)]
                slots.take(jobs)
                while not self.begun:
                    await anyio.sleep(0.001)
                yield jobs


def _attempt() -> Attempt:
    lease = Lease(new_job().id, 1)
    return attempt_of(ClaimedJob(lease, TYPES[0], None, 1, 2, None, START, START, 3, 0))


def _is_suspended_for_long(worker: OneSlot) -> None:
    worker.clock.advance(LEASE_SECONDS)


def _was_taken_for_dead(worker: OneSlot) -> None:
    """Its heartbeats arrive again, before it has compared what it holds with the database."""
    worker.clock.advance(LEASE_SECONDS)
    worker.own.lose(worker.clock.monotonic())
    worker.own.renew(worker.clock.monotonic())


def _is_made_quiet(worker: OneSlot) -> None:
    worker.own.is_quiet = True


@pytest.mark.parametrize("happens", [_is_suspended_for_long, _was_taken_for_dead, _is_made_quiet])
async def test_what_waited_for_a_slot_is_given_back(happens: Callable[[OneSlot], None]) -> None:
    worker = OneSlot()
    async with worker.with_three_jobs() as jobs:
        happens(worker)
        worker.gate.set()
        await worker.attempts.wait_until_left(0)
    assert (worker.begun, worker.released) == (jobs[:1], jobs[1:])


async def test_a_quiet_worker_gives_back_at_once_what_waits_behind_a_long_job() -> None:
    worker = OneSlot()
    async with worker.with_three_jobs() as jobs:
        worker.own.is_quiet = True
        # The clock stands still: nothing has waited for long.
        await worker.attempts.wait_until_left(1)
        assert (worker.begun, worker.released) == (jobs[:1], jobs[1:])


async def test_heartbeats_that_arrive_renew_the_lease() -> None:
    worker = OneSlot()
    async with worker.with_three_jobs() as jobs:
        worker.clock.advance(LEASE_SECONDS / 2)
        worker.own.renew(worker.clock.monotonic())
        worker.clock.advance(LEASE_SECONDS * 0.6)
        worker.gate.set()
        await worker.attempts.wait_until_left(0)
    assert (worker.begun, worker.released) == (jobs, [])
