"""Clocks that are trusted when history is deleted, and those that are not."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from background_jobs.support import claim_one, jobs_database, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.maintenance.retention import ClockJumpGuard, RetentionService
from modhost_background_jobs.model import Ended
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.storage import JobStore, open_store
from modhost_background_jobs.storage.departed import DepartedWorkers
from modhost_background_jobs.storage.retention import open_retention
from modhost_background_jobs.storage.statistics import StatisticsStore, TypeStatisticsStore
from moving_clock import START, MovingClock

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def test_a_clock_that_goes_as_time_goes_is_trusted() -> None:
    guard = ClockJumpGuard(WEEK, DAY)
    for day in range(100):
        assert guard.jump(START + day * DAY, day * 86_400.0) is None


def test_a_jump_that_makes_little_of_the_history_old_is_trusted() -> None:
    """As of a machine that slept over the weekend, whose monotonic clock stood still."""
    guard = ClockJumpGuard(WEEK, DAY)
    guard.trust(START, 0.0)
    assert guard.jump(START + 3 * DAY, 60.0) is None
    assert guard.jump(START + 6 * DAY, 120.0) is None


def test_a_great_jump_is_distrusted_until_the_clock_is_right_again() -> None:
    guard = ClockJumpGuard(WEEK, DAY)
    guard.trust(START, 0.0)
    assert guard.jump(START + 3650 * DAY, 0.0) == 3650 * DAY
    assert guard.jump(START + timedelta(minutes=1), 60.0) is None
    assert guard.jump(START + 3650 * DAY, 86_400.0) is not None, "distrusted anew"


def test_a_great_jump_is_trusted_when_it_has_stood_for_long() -> None:
    guard = ClockJumpGuard(WEEK, DAY)
    guard.trust(START, 0.0)
    assert guard.jump(START + 100 * DAY, 0.0) == 100 * DAY
    assert guard.jump(START + 101 * DAY - timedelta(minutes=1), 86_340.0) == 100 * DAY
    assert guard.jump(START + 101 * DAY, 86_400.0) is None
    assert guard.jump(START + 101 * DAY, 86_400.0) is None


@pytest.fixture
async def retention(store: JobStore, database: Database, clock: MovingClock) -> RetentionService:
    """That of a process which begins now, with a job that has just ended."""
    await store.insert([new_job()])
    claimed = await claim_one(store)
    await store.end([Ended(claimed.lease, JobState.COMPLETED)], clock.now())
    clock.advance(1)
    return new_retention(store, database, clock)


def new_retention(store: JobStore, database: Database, clock: MovingClock) -> RetentionService:
    return RetentionService(
        store,
        open_retention(database),
        StatisticsStore(database),
        TypeStatisticsStore(database),
        DepartedWorkers(database),
        BackgroundJobsOptions(),
        clock,
    )


@pytest.mark.anyio
async def test_a_clock_that_jumps_ahead_deletes_no_history(
    retention: RetentionService,
    clock: MovingClock,
    listing: JobListing,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A consumer whose clock was ten years ahead for a minute deleted all that there was."""
    assert await retention.prune() == 0
    clock.time += 100 * DAY
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert await retention.prune() == 0
    reported = [record.getMessage() for record in caplog.records]
    assert len([line for line in reported if "Nothing is deleted for the next 1 day" in line]) == 1
    clock.time -= 100 * DAY
    assert await retention.prune() == 0
    rows, *_ = await listing.page(Selection(), 0, 10)
    assert len(rows) == 1


@pytest.mark.anyio
async def test_a_process_that_begins_with_a_clock_far_ahead_deletes_no_history_at_once(
    retention: RetentionService,
    store: JobStore,
    database: Database,
    clock: MovingClock,
) -> None:
    """What ends in the process itself has the wrong time, too, and proves nothing."""
    assert retention
    clock.time += 100 * DAY
    late = new_retention(store, database, clock)
    await store.insert([new_job()])
    claimed = await claim_one(store, now=clock.now())
    await store.end([Ended(claimed.lease, JobState.COMPLETED)], clock.now())
    assert await late.prune() == 0
    clock.advance(86_400)
    assert await late.prune() == 1


@pytest.mark.anyio
async def test_history_is_old_by_the_clock_of_postgresql_as_well(postgres_url: str) -> None:
    async with jobs_database(postgres_url).open() as database:
        store = open_store(database)
        now = datetime.now(UTC)
        assert await store.database_time(now - DAY) == now - DAY
        assert abs(await store.database_time(now + DAY) - now) < timedelta(minutes=1)
