"""Schedules as people keep them: added, changed, switched off, removed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import anyio
import pytest
from sqlalchemy import update

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.schedules import fire_due, runs, settings
from modhost.database import Database
from modhost_background_jobs.contracts import (
    InvalidCronExpression,
    JobNotFound,
    JobState,
    UnknownTimeZone,
)
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage.tables import SCHEDULES
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def test_a_disabled_schedule_does_not_fire_and_catches_nothing_up(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock
) -> None:
    recurring_id = await changes.put(settings())
    assert await changes.toggle(recurring_id) is False
    clock.advance(3600)
    assert await fire_due(firing) == 0
    assert await changes.toggle(recurring_id) is True
    assert await fire_due(firing) == 0
    clock.advance(600)
    assert await fire_due(firing) == 1


async def test_adding_a_name_again_updates_the_schedule_and_leaves_it_disabled(
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
) -> None:
    first = await changes.put(settings(cron="0 0 1 * *"))
    await changes.toggle(first)
    second = await changes.put(settings(cron="0 6 * * *"))
    assert first == second
    (row,) = await schedules.all()
    assert (row.cron_expression, row.is_enabled) == ("0 6 * * *", False)


async def test_adding_a_schedule_again_unchanged_does_not_put_its_due_time_off(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock
) -> None:
    await changes.put(settings())
    clock.advance(660)
    await changes.put(settings())
    assert await fire_due(firing) == 1


async def test_a_removed_schedule_leaves_its_runs(
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    listing: JobListing,
) -> None:
    recurring_id = await changes.put(settings())
    clock.advance(600)
    await fire_due(firing)
    await changes.remove(recurring_id)
    assert await schedules.count() == 0
    assert await runs(listing) == ["Pending"]
    with pytest.raises(JobNotFound, match="no recurring job"):
        await changes.remove(recurring_id)


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


async def test_a_schedule_runs_now_when_asked_and_its_run_says_so(database_url: str) -> None:
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


async def test_a_schedule_that_cannot_fire_holds_up_no_other(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with jobs_host(database_url) as jobs, jobs.host.scope() as scope:
        database = await scope.get(Database)
        clock = MovingClock(datetime.now(UTC))
        broken = RecurringSchedules(database, clock)
        changes = await scope.get(ScheduleChanges)
        await changes.put(settings(name="a"))
        healthy = await changes.put(settings(name="b"))
        async with database.session() as session:
            connection = await session.connection()
            named_a = SCHEDULES.c.name == "a"
            await connection.execute(update(SCHEDULES).where(named_a).values(time_zone="Mars/Base"))
            past = clock.now() - timedelta(minutes=20)
            await connection.execute(update(SCHEDULES).values(next_run_at=past))
        with anyio.fail_after(20):
            while (row := await broken.get(healthy)).last_due_at is None:
                await anyio.sleep(0.02)
        assert row.next_run_at is not None
        assert row.next_run_at > clock.now()
        with anyio.fail_after(20):
            while not any(
                "The firing of the schedule" in record.getMessage() for record in caplog.records
            ):
                await anyio.sleep(0.02)
