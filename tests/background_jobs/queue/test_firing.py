"""Due times that fire, and what their runs do to each other."""

from collections.abc import AsyncIterator

import anyio
import pytest

from background_jobs.schedules import fire_due, runs, settings
from background_jobs.support import claim, claim_one, jobs_database
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    JobState,
    OverlapPolicy,
)
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore, open_store, open_wakeups
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def others(
    database_url: str, clock: MovingClock, schedules: RecurringSchedules
) -> AsyncIterator[list[RecurringFiring]]:
    """Three more consumers, each with its own connections."""
    assert schedules
    async with (
        jobs_database(database_url).open() as one,
        jobs_database(database_url).open() as two,
        jobs_database(database_url).open() as three,
    ):
        databases = (one, two, three)
        yield [
            RecurringFiring(
                each, store, DatabaseJobQueue(each, store, open_wakeups(each), clock), clock
            )
            for each in databases
            for store in [open_store(each)]
        ]


async def missed(listing: JobListing) -> list[str]:
    rows, *_ = await listing.page(Selection((JobState.SKIPPED,)), 0, 1000)
    return [row.error for row in rows if row.error and row.error.startswith("missed")]


async def test_a_due_time_fires_once(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock, store: JobStore
) -> None:
    await changes.put(settings())
    assert (await firing.poll()).due == []
    clock.advance(600)
    assert await fire_due(firing) == 1
    assert await fire_due(firing) == 0
    assert len(await claim(store, now=clock.now())) == 1


async def test_a_due_time_fires_once_however_many_consumers_try(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    others: list[RecurringFiring],
    clock: MovingClock,
    store: JobStore,
) -> None:
    recurring_id = await changes.put(settings(overlap=OverlapPolicy.ALLOW))
    fired: list[int] = []

    async def fire(each: RecurringFiring) -> None:
        fired.append(await each.fire(recurring_id))

    for _ in range(5):
        clock.advance(600)
        async with anyio.create_task_group() as group:
            for each in (firing, *others):
                group.start_soon(fire, each)
    assert sum(fired) == 5
    assert len(await claim(store, limit=100, now=clock.now())) == 5


async def test_a_run_is_skipped_while_an_earlier_one_is_not_over(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock, listing: JobListing
) -> None:
    await changes.put(settings())
    for _ in range(2):
        clock.advance(600)
        await fire_due(firing)
    assert await runs(listing) == ["Pending", "Skipped"]
    rows, *_ = await listing.page(Selection((JobState.SKIPPED,)), 0, 10)
    assert "of this schedule was still Pending" in str(rows[0].error)


async def test_runs_that_queue_wait_for_the_earlier_ones(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    store: JobStore,
) -> None:
    await changes.put(settings(overlap=OverlapPolicy.QUEUE))
    for _ in range(3):
        clock.advance(600)
        await fire_due(firing)
    first = await claim_one(store, now=clock.now())
    assert await claim(store, now=clock.now()) == []
    assert await firing.release_waiting_runs() == 0
    await store.end([Ended(first.lease, JobState.COMPLETED)], clock.now())
    assert await firing.release_waiting_runs() == 1
    assert len(await claim(store, now=clock.now())) == 1


async def test_a_run_that_waits_for_an_earlier_one_can_be_cancelled(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    queue: DatabaseJobQueue,
    listing: JobListing,
) -> None:
    await changes.put(settings(overlap=OverlapPolicy.QUEUE))
    for _ in range(2):
        clock.advance(600)
        await fire_due(firing)
    rows, *_ = await listing.page(Selection((JobState.PENDING,)), 0, 10)
    (waiting,) = [row.id for row in rows if row.on_hold]
    with anyio.fail_after(20):
        assert await queue.cancel(waiting) is JobState.CANCELLED


async def test_runs_that_may_overlap_are_all_claimable(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock, store: JobStore
) -> None:
    await changes.put(settings(overlap=OverlapPolicy.ALLOW))
    for _ in range(3):
        clock.advance(600)
        await fire_due(firing)
    assert len(await claim(store, now=clock.now())) == 3


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(CatchUpPolicy.ONE, 1), (CatchUpPolicy.NONE, 0), (CatchUpPolicy.ALL, 36)],
)
async def test_due_times_without_a_consumer_are_caught_up_by_policy(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    policy: CatchUpPolicy,
    expected: int,
) -> None:
    await changes.put(settings(overlap=OverlapPolicy.ALLOW, catch_up=policy))
    clock.advance(6 * 3600 + 300)
    assert await fire_due(firing) == expected
    clock.advance(300)
    assert await fire_due(firing) == 1


async def test_of_two_due_times_that_are_caught_up_each_has_its_turn(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock, listing: JobListing
) -> None:
    await changes.put(settings(cron="* * * * *", catch_up=CatchUpPolicy.ALL))
    clock.advance(130)
    assert await fire_due(firing) == 2
    # The second is not late by itself, and the first is in its way.
    rows, *_ = await listing.page(Selection((JobState.SKIPPED,)), 0, 10)
    assert list(rows) == []


async def test_catching_up_is_bounded(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    listing: JobListing,
) -> None:
    catch_up = settings(cron="* * * * *", overlap=OverlapPolicy.ALLOW, catch_up=CatchUpPolicy.ALL)
    await changes.put(catch_up)
    clock.advance(365 * 86400)
    assert await fire_due(firing) == 100
    (reported,) = await missed(listing)
    assert reported.endswith("from 2026-01-31 09:31 to 2027-01-31 07:50 UTC, 500 or more due times")


@pytest.mark.parametrize(
    ("policy", "minutes", "reported"),
    [
        (CatchUpPolicy.ONE, 15, []),
        (CatchUpPolicy.ONE, 25, ["at 2026-01-31 09:40 UTC, 1 due time"]),
        (CatchUpPolicy.ONE, 65, ["from 2026-01-31 09:40 to 2026-01-31 10:20 UTC, 5 due times"]),
        (CatchUpPolicy.NONE, 65, ["from 2026-01-31 09:40 to 2026-01-31 10:30 UTC, 6 due times"]),
        (CatchUpPolicy.NONE, 60, ["from 2026-01-31 09:40 to 2026-01-31 10:20 UTC, 5 due times"]),
        (CatchUpPolicy.ALL, 65, []),
    ],
)
async def test_due_times_that_nobody_catches_up_are_recorded_once(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    listing: JobListing,
    policy: CatchUpPolicy,
    minutes: int,
    reported: list[str],
) -> None:
    """They were nowhere: the strip of the schedule showed a run after a run."""
    recurring_id = await changes.put(settings(overlap=OverlapPolicy.ALLOW, catch_up=policy))
    clock.advance(60 * minutes)
    await fire_due(firing)
    await fire_due(firing)
    assert await missed(listing) == [
        f"missed: no consumer could fire it {each}" for each in reported
    ]
    rows, *_ = await listing.page(Selection((JobState.SKIPPED,)), 0, 10)
    assert {row.recurring_job_id for row in rows} <= {recurring_id}
