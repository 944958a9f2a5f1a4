"""Edits of schedules whose runs are due, and changes within a transaction of the caller."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob
from background_jobs.schedules import fire_due, runs, settings
from background_jobs.support import claim_one
from modhost.database import Database
from modhost_background_jobs.contracts import CatchUpPolicy, JobState
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables import SCHEDULES
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

MIDNIGHT = START.replace(day=1, month=2, hour=0, minute=0)


@pytest.mark.parametrize("cron", ["0 0 1 * *", "0 6 1 * *", "*/5 * * * *"])
async def test_a_run_that_is_due_survives_an_edit(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    store: JobStore,
    cron: str,
) -> None:
    """The first start after midnight put `@monthly` another way, and the run was lost."""
    await changes.put(settings(cron="@monthly"))
    clock.time = MIDNIGHT + timedelta(minutes=2)
    await changes.put(settings(cron=cron))
    await fire_due(firing)
    run = await claim_one(store, now=clock.now())
    assert run.due_at == MIDNIGHT


async def test_an_expression_that_means_the_same_changes_no_time(
    changes: ScheduleChanges, schedules: RecurringSchedules, clock: MovingClock, listing: JobListing
) -> None:
    id_ = await changes.put(settings(cron="@monthly"))
    clock.time = MIDNIGHT + timedelta(minutes=2)
    await changes.put(settings(cron="0 0 1 * *"))
    row = await schedules.get(id_)
    assert (row.cron_expression, row.next_run_at) == ("0 0 1 * *", MIDNIGHT)
    assert await runs(listing) == []


async def test_due_times_before_an_edit_are_caught_up_by_the_old_expression(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock, listing: JobListing
) -> None:
    """By the new one there had been a thousand of them."""
    await changes.put(settings(cron="0 * * * *"))
    clock.advance(timedelta(hours=6))
    await changes.put(settings(cron="* * * * *"))
    assert await runs(listing) == ["Skipped", "Pending"]
    (skipped,), *_ = await listing.page(Selection((JobState.SKIPPED,)), 0, 10)
    assert "from 2026-01-31 10:00 to 2026-01-31 14:00 UTC, 5 due times" in str(skipped.error)
    assert await fire_due(firing) == 0
    clock.advance(60)
    assert await fire_due(firing) == 1


async def test_an_edit_that_nobody_can_read_back_keeps_the_due_time(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    database: Database,
    store: JobStore,
) -> None:
    id_ = await changes.put(settings(cron="@monthly"))
    async with database.session() as session:
        gone = update(SCHEDULES).where(SCHEDULES.c.id == id_).values(time_zone="Gone/Zone")
        await (await session.connection()).execute(gone)
    clock.time = MIDNIGHT + timedelta(minutes=2)
    await changes.put(settings(cron="0 6 1 * *"))
    await fire_due(firing)
    assert (await claim_one(store, now=clock.now())).due_at == MIDNIGHT


async def test_the_stored_due_time_fires_whatever_the_rules_of_this_host(
    changes: ScheduleChanges,
    schedules: RecurringSchedules,
    firing: RecurringFiring,
    clock: MovingClock,
    database: Database,
    store: JobStore,
    listing: JobListing,
) -> None:
    """It fired twice, or never and without a record, where hosts had different zone data."""
    id_ = await changes.put(settings(cron="0 3 * * *"))
    by_others = START.replace(day=1, month=2, hour=2)
    async with database.session() as session:
        moved = update(SCHEDULES).where(SCHEDULES.c.id == id_).values(next_run_at=by_others)
        await (await session.connection()).execute(moved)
    assert await schedules.pull_back() == 0
    clock.time = by_others + timedelta(seconds=1)
    assert await fire_due(firing) == 1
    assert (await claim_one(store, now=clock.now())).due_at == by_others
    # What another host has stored after its own rules lies beyond what is next by ours.
    async with database.session() as session:
        theirs = by_others + timedelta(days=1)
        moved = update(SCHEDULES).where(SCHEDULES.c.id == id_).values(next_run_at=theirs)
        await (await session.connection()).execute(moved)
    assert await schedules.pull_back() == 0
    await changes.put(settings(cron="0 3 * * *"))
    clock.advance(timedelta(hours=2))
    assert await fire_due(firing) == 0
    assert await runs(listing) == ["Running"]


async def test_a_due_time_before_a_schedule_is_disabled_is_recorded(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    clock: MovingClock,
    listing: JobListing,
    schedules: RecurringSchedules,
) -> None:
    id_ = await changes.put(replace(settings(), catch_up=CatchUpPolicy.ALL))
    clock.advance(1205)
    await changes.disable(id_)
    await changes.disable(id_)
    clock.advance(3600)
    await changes.enable(id_)
    assert await fire_due(firing) == 0
    (skipped,), *_ = await listing.page(Selection(), 0, 10)
    assert skipped.error == (
        "skipped: the schedule was disabled before it fired from 2026-01-31 09:40 to "
        "2026-01-31 09:50 UTC, 2 due times"
    )
    assert (await schedules.get(id_)).last_due_at == START + timedelta(minutes=20)


async def test_to_enable_again_changes_no_due_time(
    changes: ScheduleChanges, firing: RecurringFiring, clock: MovingClock
) -> None:
    id_ = await changes.put(settings())
    clock.advance(605)
    await changes.enable(id_)
    assert await fire_due(firing) == 1


@pytest.mark.parametrize("is_committed", [True, False])
async def test_every_change_is_part_of_the_transaction_of_its_caller(
    database_url: str, *, is_committed: bool
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        scheduling = jobs.scheduling
        ids = [
            await scheduling.add_recurring(ReportingJob, name=name, cron_expression="@yearly")
            for name in ("one", "two", "three", "four")
        ]
        await scheduling.disable_recurring(ids[0])
        database = await jobs.service(Database)
        async with database.session() as session:
            await scheduling.enable_recurring(ids[0], session=session)
            await scheduling.disable_recurring(ids[1], session=session)
            assert await scheduling.toggle_recurring(ids[2], session=session) is False
            run = await scheduling.run_recurring_now(ids[3], session=session)
            await scheduling.remove_recurring(ids[3], session=session)
            if not is_committed:
                await session.rollback()
        states = {each.name: each.is_enabled for each in await jobs.querying.get_recurring_jobs()}
        found = await scheduling.get_status(run)
    if is_committed:
        assert states == {"one": True, "two": False, "three": False}
        assert found is not None
    else:
        assert states == {"one": False, "two": True, "three": True, "four": True}
        assert found is None
