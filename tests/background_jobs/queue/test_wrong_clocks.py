"""Schedules on machines whose clock was ahead, or falls back."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from background_jobs.schedules import fire_due, settings
from modhost.database import Database
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    OverlapPolicy,
)
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage.retention import RetentionStore
from modhost_background_jobs.storage.tables import SCHEDULES
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def test_the_record_of_due_times_is_forgotten(
    changes: ScheduleChanges,
    firing: RecurringFiring,
    deletion: RetentionStore,
    clock: MovingClock,
) -> None:
    await changes.put(settings())
    clock.advance(600)
    await fire_due(firing)
    assert await deletion.forget_occurrences(clock.now() + timedelta(seconds=1)) == 1


@pytest.mark.parametrize("unreadable", [{"time_zone": "Gone/Zone"}, {"cron_expression": "@never"}])
async def test_a_clock_that_was_years_ahead_does_not_stop_a_schedule(
    unreadable: dict[str, str],
    database: Database,
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    firing: RecurringFiring,
    deletion: RetentionStore,
    clock: MovingClock,
) -> None:
    """A consumer with a wrong clock fired once, and moved the next run beyond its own today."""
    other = await changes.put(settings("another that this machine cannot read"))
    async with database.session() as session:
        broken = update(SCHEDULES).where(SCHEDULES.c.id == other).values(unreadable)
        await (await session.connection()).execute(broken)
    recurring_id = await changes.put(settings())
    clock.advance(3650 * 86_400)
    assert await firing.fire(recurring_id) == 1
    clock.advance(-3650 * 86_400)
    assert await schedules.pull_back() == 1
    assert await schedules.pull_back() == 0
    clock.advance(600)
    assert await firing.fire(recurring_id) == 1
    assert await firing.fire(recurring_id) == 0


async def test_a_clock_that_falls_back_fires_no_due_time_again(
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    firing: RecurringFiring,
    deletion: RetentionStore,
    clock: MovingClock,
) -> None:
    recurring_id = await changes.put(settings())
    clock.advance(600)
    assert await firing.fire(recurring_id) == 1
    clock.advance(-300)
    await schedules.pull_back()
    clock.advance(300)
    assert await firing.fire(recurring_id) == 0


@pytest.mark.parametrize("catch_up", list(CatchUpPolicy))
async def test_due_times_that_were_forgotten_do_not_fire_again_after_a_clock_fell_far_back(
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    firing: RecurringFiring,
    deletion: RetentionStore,
    clock: MovingClock,
    catch_up: CatchUpPolicy,
) -> None:
    """The next run was pulled back to before what retention had deleted."""
    recurring_id = await changes.put(
        settings(cron="0 0 * * *", overlap=OverlapPolicy.ALLOW, catch_up=catch_up)
    )
    for _ in range(30):
        clock.advance(86_400)
        assert await firing.fire(recurring_id) == (0 if catch_up is CatchUpPolicy.NONE else 1)
    await deletion.forget_occurrences(clock.now() - timedelta(days=7))
    clock.advance(-20 * 86_400)
    await schedules.pull_back()
    assert await firing.fire(recurring_id) == 0
    await changes.toggle(recurring_id)
    await changes.toggle(recurring_id)
    clock.advance(86_400)
    assert await firing.fire(recurring_id) == 0
    clock.advance(19 * 86_400)
    assert await firing.fire(recurring_id) == 0
    clock.advance(86_400 - 9.5 * 3600)
    assert await firing.fire(recurring_id) == 1
