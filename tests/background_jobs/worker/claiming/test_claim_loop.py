"""The claim loop over a real store, with room as the test says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import insert

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.support import JOB_TYPES, TYPES, lanes_of, new_job
from modhost.clock import SystemClock
from modhost.database import Database
from modhost.runtime.shutdown import ShutdownSignal
from modhost_background_jobs.model import ClaimedJob, CurrentWorker
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, open_wakeups
from modhost_background_jobs.storage.tables import PAUSES
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.claiming.claim_loop import (
    MIN_PAUSE_SECONDS,
    QUIET_SECONDS,
    ClaimLoop,
)
from modhost_background_jobs.worker.claiming.slots import Slots
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


class RoomForTwo(Slots):
    """Slots that always have room for two; before a claim the test may do something."""

    def __init__(self, before: Callable[[int], Awaitable[None]], enough: int = 0) -> None:
        self._before = before
        self._claims = 0
        self._enough = enough
        self.taken: list[UUID] = []
        self.released: set[UUID] = set()
        self.begun: list[UUID] = []
        self.are_enough = anyio.Event()
        self.attempts = AttemptRegistry()

    def take(self, attempts: Iterable[Attempt]) -> None:
        self.last = list(attempts)
        self.taken.extend(attempt.lease.job_id for attempt in self.last)
        asyncio.get_running_loop().call_soon(self._begin, self.last)
        if len(self.taken) >= self._enough:
            self.are_enough.set()

    def _begin(self, attempts: list[Attempt]) -> None:
        ids = [each.lease.job_id for each in attempts]
        self.begun += [each for each in ids if each not in self.released]

    def release_those(self, condition: Callable[[Attempt], bool]) -> None:
        self.released |= {each.lease.job_id for each in self.last if condition(each)}

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
    return (await slots_of_a_loop(database, store, clock, count, before)).taken


async def slots_of_a_loop(
    database: Database,
    store: JobStore,
    clock: MovingClock,
    count: int,
    before: Callable[[int], Awaitable[None]],
) -> RoomForTwo:
    """Run a loop until it has claimed so many jobs."""
    slots = RoomForTwo(before, count)
    options = BackgroundJobsOptions(poll_interval=timedelta(seconds=0.01))
    lanes, signal = lanes_of(database, clock), ShutdownSignal()
    loop = ClaimLoop(
        JOB_TYPES, store, open_wakeups(database), options, signal, clock, lanes, CurrentWorker()
    )
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(loop.run, "w1", slots)
            await slots.are_enough.wait()
            group.cancel_scope.cancel()
    return slots


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


async def test_while_there_is_more_a_job_that_commits_late_waits_at_most_half_a_second(
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


@pytest.mark.parametrize("seconds", [0.9, 1.9])
async def test_what_is_paused_for_a_second_does_not_start_though_nothing_has_woken_the_worker(
    database: Database, store: JobStore, clock: MovingClock, seconds: float
) -> None:
    paused, other = new_job(), new_job(job_type=TYPES[1])
    pause = {"kind": "type", "name": paused.job_type, "paused_at": clock.now(), "reason": ""}

    async def pause_and_insert(claims: int) -> None:
        if claims == 3:
            async with database.session() as session:
                await (await session.connection()).execute(insert(PAUSES).values(**pause))
            clock.advance(seconds)
            await store.insert([paused, other])

    slots = await slots_of_a_loop(database, store, clock, 2, pause_and_insert)
    assert slots.taken == [paused.id, other.id]
    assert slots.released == {paused.id}
    assert slots.begun == [other.id]


class CountingStore:
    """A store without jobs that counts what it is asked."""

    def __init__(self) -> None:
        self.claims = 0
        self.reads_of_next_due = 0

    async def claim(self, *_: object) -> list[ClaimedJob]:
        self.claims += 1
        return []

    async def next_due(self, _: object) -> datetime | None:
        self.reads_of_next_due += 1
        return None


async def test_wakeups_in_quick_succession_share_claims_and_search_no_further(
    database: Database,
) -> None:
    async def nothing(_: int) -> None:
        pass

    store, wakeups, clock = CountingStore(), open_wakeups(database), SystemClock()
    options = BackgroundJobsOptions(poll_interval=timedelta(seconds=60))
    loop = ClaimLoop(
        JOB_TYPES,
        cast("JobStore", store),
        wakeups,
        options,
        ShutdownSignal(),
        clock,
        lanes_of(database, clock),
        CurrentWorker(),
    )
    async with anyio.create_task_group() as group:
        began = anyio.current_time()
        group.start_soon(loop.run, "w1", RoomForTwo(nothing))
        with anyio.fail_after(10):
            while not store.claims:
                await anyio.lowlevel.checkpoint()
        for _ in range(300):
            await anyio.lowlevel.checkpoint()
            wakeups.work.fire()
        passed = anyio.current_time() - began
        assert store.claims <= 2 + passed / MIN_PAUSE_SECONDS
        assert store.reads_of_next_due <= passed / QUIET_SECONDS
        with anyio.fail_after(10):
            while not store.reads_of_next_due:
                await anyio.sleep(0.005)
        group.cancel_scope.cancel()


async def test_a_job_runs_when_it_falls_due_whatever_the_poll_interval(database_url: str) -> None:
    async with jobs_host(database_url, poll_interval="60s") as jobs:
        first = await jobs.scheduling.enqueue(ReportingJob, Work(name="now"))
        await jobs.ends(first)
        in_a_moment = datetime.now(UTC) + timedelta(seconds=0.2)
        deferred = await jobs.scheduling.schedule(ReportingJob, in_a_moment, Work())
        job = await jobs.ends(deferred)
    assert job.started_at is not None
    assert job.started_at >= in_a_moment
