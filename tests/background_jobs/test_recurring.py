from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import anyio
import pytest
from sqlalchemy import update

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.support import MovingClock, claim, claim_one
from modhost.database import Database
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    InvalidCronExpression,
    JobNotFound,
    JobState,
    OverlapPolicy,
    UnknownTimeZone,
)
from modhost_background_jobs.queue.cron import CronSchedule
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.listing import JobListing
from modhost_background_jobs.queue.open_store import open_store
from modhost_background_jobs.queue.records import Ended
from modhost_background_jobs.queue.recurring import (
    RECURRING,
    RecurringSchedules,
    ScheduleSettings,
)
from modhost_background_jobs.queue.store import JobStore
from modhost_background_jobs.queue.wakeups import open_wakeups

pytestmark = pytest.mark.anyio


def settings(
    name: str = "nightly",
    cron: str = "*/10 * * * *",
    overlap: OverlapPolicy = OverlapPolicy.SKIP,
    catch_up: CatchUpPolicy = CatchUpPolicy.ONE,
) -> ScheduleSettings:
    return ScheduleSettings(
        name=name,
        schedule=CronSchedule.parse(cron),
        job_type="tests.Job",
        module_name="tests",
        data=None,
        overlap=overlap,
        catch_up=catch_up,
        max_attempts=3,
        timeout=None,
    )


@pytest.fixture
def schedules(database: Database, clock: MovingClock) -> RecurringSchedules:
    return RecurringSchedules(database, clock)


@pytest.fixture
def firing(database: Database, queue: DatabaseJobQueue, clock: MovingClock) -> RecurringFiring:
    return RecurringFiring(database, queue, clock)


@pytest.fixture
async def others(
    database_url: str, clock: MovingClock, schedules: RecurringSchedules
) -> AsyncIterator[list[RecurringFiring]]:
    """Three more consumers, each with its own connections."""
    assert schedules
    async with (
        Database(database_url).open() as one,
        Database(database_url).open() as two,
        Database(database_url).open() as three,
    ):
        databases = (one, two, three)
        for each in databases:
            each.know_schema("background_jobs")
        yield [
            RecurringFiring(
                each, DatabaseJobQueue(each, open_store(each), open_wakeups(each), clock), clock
            )
            for each in databases
        ]


async def fire_due(firing: RecurringFiring) -> int:
    return sum([await firing.fire(each) for each in (await firing.look()).due])


async def runs(listing: JobListing) -> list[str]:
    rows, _ = await listing.page(None, None, 0, 1000)
    return [row["state"] for row in reversed(rows)]


async def missed(listing: JobListing) -> list[str]:
    rows, _ = await listing.page(JobState.SKIPPED, None, 0, 1000)
    return [row["error"] for row in rows if row["error"].startswith("missed")]


async def test_a_due_time_fires_once(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock, store: JobStore
) -> None:
    await schedules.put(settings())
    assert (await firing.look()).due == []
    clock.advance(600)
    assert await fire_due(firing) == 1
    assert await fire_due(firing) == 0
    assert len(await claim(store, now=clock.now())) == 1


async def test_a_due_time_fires_once_however_many_consumers_try(
    schedules: RecurringSchedules,
    firing: RecurringFiring,
    others: list[RecurringFiring],
    clock: MovingClock,
    store: JobStore,
) -> None:
    recurring_id = await schedules.put(settings(overlap=OverlapPolicy.ALLOW))
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
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock, listing: JobListing
) -> None:
    await schedules.put(settings())
    for _ in range(2):
        clock.advance(600)
        await fire_due(firing)
    assert await runs(listing) == ["Pending", "Skipped"]
    rows, _ = await listing.page(JobState.SKIPPED, None, 0, 10)
    assert "of this schedule was still Pending" in rows[0]["error"]


async def test_runs_that_queue_wait_for_the_earlier_ones(
    schedules: RecurringSchedules,
    firing: RecurringFiring,
    clock: MovingClock,
    store: JobStore,
) -> None:
    await schedules.put(settings(overlap=OverlapPolicy.QUEUE))
    for _ in range(3):
        clock.advance(600)
        await fire_due(firing)
    first = await claim_one(store, now=clock.now())
    assert await claim(store, now=clock.now()) == []
    assert await firing.let_waiting_runs_go() == 0
    await store.end([Ended(first.lease, JobState.COMPLETED)], clock.now())
    assert await firing.let_waiting_runs_go() == 1
    assert len(await claim(store, now=clock.now())) == 1


async def test_runs_that_may_overlap_are_all_claimable(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock, store: JobStore
) -> None:
    await schedules.put(settings(overlap=OverlapPolicy.ALLOW))
    for _ in range(3):
        clock.advance(600)
        await fire_due(firing)
    assert len(await claim(store, now=clock.now())) == 3


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(CatchUpPolicy.ONE, 1), (CatchUpPolicy.NONE, 0), (CatchUpPolicy.ALL, 36)],
)
async def test_due_times_without_a_consumer_are_caught_up_by_policy(
    schedules: RecurringSchedules,
    firing: RecurringFiring,
    clock: MovingClock,
    policy: CatchUpPolicy,
    expected: int,
) -> None:
    await schedules.put(settings(overlap=OverlapPolicy.ALLOW, catch_up=policy))
    clock.advance(6 * 3600 + 300)
    assert await fire_due(firing) == expected
    clock.advance(300)
    assert await fire_due(firing) == 1


async def test_catching_up_is_bounded(
    schedules: RecurringSchedules,
    firing: RecurringFiring,
    clock: MovingClock,
    listing: JobListing,
) -> None:
    catch_up = settings(cron="* * * * *", overlap=OverlapPolicy.ALLOW, catch_up=CatchUpPolicy.ALL)
    await schedules.put(catch_up)
    clock.advance(365 * 86400)
    assert await fire_due(firing) == 100
    (told,) = await missed(listing)
    assert told.endswith("from 2026-01-31 09:31 to 2027-01-31 07:50 UTC, 500 or more due times")


@pytest.mark.parametrize(
    ("policy", "minutes", "told"),
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
    schedules: RecurringSchedules,
    firing: RecurringFiring,
    clock: MovingClock,
    listing: JobListing,
    policy: CatchUpPolicy,
    minutes: int,
    told: list[str],
) -> None:
    """They were nowhere: the strip of the schedule showed a run after a run."""
    recurring_id = await schedules.put(settings(overlap=OverlapPolicy.ALLOW, catch_up=policy))
    clock.advance(60 * minutes)
    await fire_due(firing)
    await fire_due(firing)
    assert await missed(listing) == [f"missed: no consumer ran {each}" for each in told]
    rows, _ = await listing.page(JobState.SKIPPED, None, 0, 10)
    assert {row["recurring_job_id"] for row in rows} <= {recurring_id}


async def test_a_disabled_schedule_does_not_fire_and_catches_nothing_up(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock
) -> None:
    recurring_id = await schedules.put(settings())
    assert await schedules.toggle(recurring_id) is False
    clock.advance(3600)
    assert await fire_due(firing) == 0
    assert await schedules.toggle(recurring_id) is True
    assert await fire_due(firing) == 0
    clock.advance(600)
    assert await fire_due(firing) == 1


async def test_adding_a_name_again_updates_the_schedule_and_leaves_it_disabled(
    schedules: RecurringSchedules,
) -> None:
    first = await schedules.put(settings(cron="0 0 1 * *"))
    await schedules.toggle(first)
    second = await schedules.put(settings(cron="0 6 * * *"))
    assert first == second
    (row,) = await schedules.all()
    assert (row["cron_expression"], row["is_enabled"]) == ("0 6 * * *", False)


async def test_adding_a_schedule_again_unchanged_does_not_put_its_due_time_off(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock
) -> None:
    await schedules.put(settings())
    clock.advance(660)
    await schedules.put(settings())
    assert await fire_due(firing) == 1


async def test_a_removed_schedule_leaves_its_runs(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock, listing: JobListing
) -> None:
    recurring_id = await schedules.put(settings())
    clock.advance(600)
    await fire_due(firing)
    await schedules.remove(recurring_id)
    assert await schedules.count() == 0
    assert await runs(listing) == ["Pending"]
    with pytest.raises(JobNotFound, match="no recurring job"):
        await schedules.remove(recurring_id)


async def test_the_record_of_due_times_is_forgotten(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock
) -> None:
    await schedules.put(settings())
    clock.advance(600)
    await fire_due(firing)
    assert await firing.forget(clock.now() + timedelta(seconds=1)) == 1


async def test_hosts_that_add_one_schedule_at_the_same_time_have_one(database_url: str) -> None:
    ids: set[UUID] = set()
    async with jobs_host(database_url, mode="Producer") as one:
        async with jobs_host(database_url, mode="Producer") as two:

            async def add(scheduling: object) -> None:
                added = await scheduling.add_recurring(  # type: ignore[attr-defined]
                    ReportingJob, name="Monthly", cron_expression="@monthly"
                )
                ids.add(added)

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    for each in (one, two):
                        group.start_soon(add, each.scheduling)
            assert len(ids) == 1
            assert await one.querying.get_recurring_count() == 1


async def test_a_schedule_runs_now_when_asked_and_its_run_tells_of_it(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        recurring_id = await jobs.scheduling.add_recurring(
            ReportingJob, name="Monthly", cron_expression="@monthly", data=Work(name="m")
        )
        job = await jobs.ends(await jobs.scheduling.run_recurring_now(recurring_id))
    assert (job.state, job.recurring_job_id) == (JobState.COMPLETED, recurring_id)


async def test_bad_schedules_are_refused(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        add = jobs.scheduling.add_recurring
        with pytest.raises(InvalidCronExpression):
            await add(ReportingJob, name="bad", cron_expression="0 0 31 2 *")
        with pytest.raises(UnknownTimeZone):
            await add(ReportingJob, name="bad", cron_expression="@daily", time_zone="Mars/Olympus")
        assert await jobs.querying.get_recurring_count() == 0


async def test_a_clock_that_was_years_ahead_does_not_stop_a_schedule(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock
) -> None:
    """A consumer with a wrong clock fired once, and moved the next run beyond its own today."""
    recurring_id = await schedules.put(settings())
    clock.advance(3650 * 86_400)
    assert await firing.fire(recurring_id) == 1
    clock.advance(-3650 * 86_400)
    assert await schedules.pull_back() == 1
    assert await schedules.pull_back() == 0
    clock.advance(600)
    assert await firing.fire(recurring_id) == 1
    assert await firing.fire(recurring_id) == 0


async def test_a_clock_that_falls_back_fires_no_due_time_again(
    schedules: RecurringSchedules, firing: RecurringFiring, clock: MovingClock
) -> None:
    recurring_id = await schedules.put(settings())
    clock.advance(600)
    assert await firing.fire(recurring_id) == 1
    clock.advance(-300)
    await schedules.pull_back()
    clock.advance(300)
    assert await firing.fire(recurring_id) == 0


async def test_a_schedule_that_cannot_fire_holds_up_no_other(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with jobs_host(database_url) as jobs, jobs.host.scope() as scope:
        database = await scope.get(Database)
        clock = MovingClock()
        broken = RecurringSchedules(database, clock)
        await broken.put(settings(name="a"))
        healthy = await broken.put(settings(name="b"))
        clock.time = datetime.now(UTC)
        async with database.session() as session:
            connection = await session.connection()
            named_a = RECURRING.c.name == "a"
            await connection.execute(update(RECURRING).where(named_a).values(time_zone="Mars/Base"))
            past = clock.now() - timedelta(minutes=20)
            await connection.execute(update(RECURRING).values(next_run_at=past))
        with anyio.fail_after(20):
            while (row := await broken.get(healthy))["last_run_at"] is None:
                await anyio.sleep(0.02)
        assert row["next_run_at"] > clock.now()
        with anyio.fail_after(20):
            while not any("cannot fire" in record.getMessage() for record in caplog.records):
                await anyio.sleep(0.02)
