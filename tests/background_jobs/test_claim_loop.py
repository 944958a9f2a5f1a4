"""The claim loop over a real store, with room as the test says."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import anyio
import pytest

from background_jobs.support import TYPES, MovingClock, new_job
from modhost.database import Database
from modhost_background_jobs.queue.records import ClaimedJob
from modhost_background_jobs.queue.store import JobStore
from modhost_background_jobs.queue.wakeups import open_wakeups
from modhost_background_jobs.worker.claiming import ClaimLoop
from modhost_background_jobs.worker.slots import Slots

pytestmark = pytest.mark.anyio


class RoomForTwo(Slots):
    """Slots that always have room for two; before a claim the test may do something."""

    def __init__(self, before: Callable[[int], Awaitable[None]]) -> None:
        self._before = before
        self._claims = 0

    async def room(self) -> int:
        self._claims += 1
        await self._before(self._claims)
        return 2


async def claimed_by_a_loop(
    database: Database,
    store: JobStore,
    clock: MovingClock,
    count: int,
    before: Callable[[int], Awaitable[None]],
) -> list[UUID]:
    """Run a loop until it has claimed so many jobs; return their ids, as they were claimed."""
    claimed: list[UUID] = []
    all_claimed = anyio.Event()

    def start(jobs: list[ClaimedJob]) -> None:
        claimed.extend(job.lease.job_id for job in jobs)
        if len(claimed) >= count:
            all_claimed.set()

    loop = ClaimLoop("w1", TYPES, store, open_wakeups(database), clock, 0.01)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(loop.run, RoomForTwo(before), start)
            await all_claimed.wait()
            group.cancel_scope.cancel()
    return claimed


async def test_a_job_with_an_earlier_due_time_that_commits_late_is_claimed(
    database: Database, store: JobStore, clock: MovingClock
) -> None:
    jobs = [new_job(due=-10 + index, job_type=TYPES[index % 2]) for index in range(8)]
    late = new_job(due=-60)
    await store.insert(jobs)

    async def commit_late(claims: int) -> None:
        if claims == 3:
            await store.insert([late])

    claimed = await claimed_by_a_loop(database, store, clock, 9, commit_late)
    assert set(claimed) == {late.id, *(job.id for job in jobs)}
    assert [each for each in claimed if each != late.id] == [job.id for job in jobs]


async def test_while_there_is_more_a_job_that_commits_late_waits_half_a_second_at_the_most(
    database: Database, store: JobStore, clock: MovingClock
) -> None:
    jobs = [new_job(due=-10 + index) for index in range(8)]
    late = new_job(due=-60)
    await store.insert(jobs)

    async def commit_late(claims: int) -> None:
        if claims == 3:
            await store.insert([late])
            clock.advance(0.5)

    claimed = await claimed_by_a_loop(database, store, clock, 9, commit_late)
    assert claimed[4] == late.id


async def test_among_jobs_due_at_one_time_none_is_passed_over(
    database: Database, store: JobStore, clock: MovingClock
) -> None:
    jobs = [new_job() for _ in range(9)]
    await store.insert(jobs)

    async def nothing(_: int) -> None:
        pass

    claimed = await claimed_by_a_loop(database, store, clock, 9, nothing)
    assert claimed == [job.id for job in jobs]
