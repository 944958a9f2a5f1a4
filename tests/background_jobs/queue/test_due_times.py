"""For which due time a run is, and when a schedule was due and ran last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import anyio
import pytest
from sqlalchemy import select, update

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob
from background_jobs.schedules import fire_due, settings
from background_jobs.support import claim_one
from modhost.database import Database
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobState,
    ModuleJob,
    RecurringJob,
)
from modhost_background_jobs.model import Released
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.schedule_runs import ScheduleRuns
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables import SCHEDULES
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

FIRST = START + timedelta(minutes=10)


class DueJob(ModuleJob):
    """Notes for which due time it runs; the first attempt fails."""

    async def execute(self, context: JobExecutionContext) -> None:
        context.log(f"due {context.due_at}")
        if context.attempt == 1:
            raise ValueError("once more")


async def due_since(jobs: Jobs, recurring_id: UUID, span: timedelta) -> datetime:
    """Let a schedule be due since a while ago, and return when."""
    due_at = datetime.now(UTC).replace(microsecond=0) - span
    database = await jobs.service(Database)
    async with database.session() as session:
        changed = update(SCHEDULES).where(SCHEDULES.c.id == recurring_id).values(next_run_at=due_at)
        await (await session.connection()).execute(changed)
    return due_at


async def run_of(jobs: Jobs, recurring_id: UUID) -> UUID:
    """Wait for a run of a schedule, and return its id."""
    runs = await jobs.service(ScheduleRuns)
    with anyio.fail_after(20):
        while not (found := (await runs.page(recurring_id, 1)).rows):
            await anyio.sleep(0.02)
    return found[0].id


async def ran_at(jobs: Jobs, moment: datetime | None) -> RecurringJob:
    """Wait until the one schedule has last run at that time, which is stored beside its run."""
    with anyio.fail_after(20):
        while True:
            (schedule,) = await jobs.querying.get_recurring_jobs()
            if schedule.last_run_at == moment:
                return schedule
            await anyio.sleep(0.02)


async def test_all_attempts_of_a_run_know_its_due_time(database_url: str) -> None:
    """It could not learn that: its `execute_at` was the moment at which it fired."""
    async with jobs_host(database_url, more_jobs=[DueJob]) as jobs:
        recurring_id = await jobs.scheduling.add_recurring(
            DueJob, name="Nightly", cron_expression="0 0 1 1 *"
        )
        due_at = await due_since(jobs, recurring_id, timedelta(seconds=20))
        run = await jobs.ends(await run_of(jobs, recurring_id))
        schedule = await ran_at(jobs, run.started_at)
    assert (run.state, run.due_at) == (JobState.COMPLETED, due_at)
    assert [line.message for line in run.logs] == [f"due {due_at}"] * 2
    assert schedule.last_due_at == due_at


async def test_other_jobs_and_runs_besides_the_due_times_have_none(database_url: str) -> None:
    async with jobs_host(database_url, more_jobs=[DueJob]) as jobs:
        recurring_id = await jobs.scheduling.add_recurring(
            DueJob, name="Nightly", cron_expression="0 0 1 1 *"
        )
        job = await jobs.ends(await jobs.scheduling.run_recurring_now(recurring_id))
        schedule = await ran_at(jobs, job.started_at)
        other = await jobs.ends(await jobs.scheduling.enqueue(DueJob))
    assert (job.due_at, job.logs[0].message) == (None, "due None")
    assert schedule.last_due_at is None
    assert other.due_at is None


async def test_a_run_is_due_at_its_due_time_and_keeps_it_when_it_is_retried(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    store: JobStore,
    listing: JobListing,
) -> None:
    await changes.put(settings())
    clock.advance(605)
    await fire_due(firing)
    run = await claim_one(store, now=clock.now())
    assert (run.execute_at, run.due_at) == (FIRST, FIRST)
    later = clock.now() + timedelta(hours=1)
    await store.release([Released(run.lease, later, "it broke", spent=True)], clock.now())
    again = await claim_one(store, now=later)
    assert (again.execute_at, again.due_at) == (later, FIRST)
    row = await listing.find(run.lease.job_id)
    assert row is not None
    assert row.due_at == FIRST


async def test_a_skipped_run_moves_the_last_due_time_and_not_the_last_run(
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    store: JobStore,
    listing: JobListing,
) -> None:
    """A monitor of the last run never raised an alarm, since skipped runs moved it."""
    recurring_id = await changes.put(settings())
    for _ in range(3):
        clock.advance(600)
        await fire_due(firing)
    row = await schedules.get(recurring_id)
    assert (row.last_run_at, row.last_due_at) == (None, START + timedelta(minutes=30))
    skipped, *_ = await listing.page(Selection((JobState.SKIPPED,)), 0, 10)
    assert [each.due_at for each in skipped] == [START + timedelta(minutes=n) for n in (30, 20)]
    assert await store.note_starts({recurring_id: FIRST}) == set()
    assert await store.note_starts({recurring_id: START}) == set()
    assert (await schedules.get(recurring_id)).last_run_at == FIRST


async def test_a_schedule_that_somebody_has_locked_holds_up_no_claim(
    postgres_url: str,
) -> None:
    async with jobs_host(postgres_url, more_jobs=[DueJob]) as jobs:
        recurring_id = await jobs.scheduling.add_recurring(
            ReportingJob, name="Nightly", cron_expression="0 0 1 1 *"
        )
        database = await jobs.service(Database)
        async with database.session() as session:
            locked = select(SCHEDULES.c.id).where(SCHEDULES.c.id == recurring_id)
            await (await session.connection()).execute(locked.with_for_update())
            run = await jobs.ends(await jobs.scheduling.run_recurring_now(recurring_id), 20)
            assert await last_run_at(jobs) is None
        with anyio.fail_after(20):
            while await last_run_at(jobs) != run.started_at:
                await jobs.ends(await jobs.scheduling.enqueue(DueJob))


async def last_run_at(jobs: Jobs) -> datetime | None:
    (schedule,) = await jobs.querying.get_recurring_jobs()
    return schedule.last_run_at


async def test_modules_may_have_schedules_of_one_name(
    schedules: RecurringSchedules, changes: ScheduleChanges
) -> None:
    """One of them was gone without a word."""
    one = settings()
    other = replace(one, module_name="mail")
    first = await changes.put(one)
    second = await changes.put(other)
    assert first != second
    assert [await changes.put(each) for each in (one, other)] == [first, second]
    rows = await schedules.all()
    assert [(row.module_name, row.name) for row in rows] == [
        ("mail", "nightly"),
        ("tests", "nightly"),
    ]
