"""Roll-ups of all jobs: counted by each worker, merged by the minute and the half hour."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select

from background_jobs.support import claim, new_job
from modhost.database import Database
from modhost.module import HostInfo
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.maintenance.roll_ups import RollUpService
from modhost_background_jobs.model import CurrentWorker
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.statistics import (
    AppVersions,
    StatisticsStore,
    TypeStatisticsStore,
)
from modhost_background_jobs.storage.statistics.minutes import HALF_HOUR
from modhost_background_jobs.storage.statistics.rows import MINUTE
from modhost_background_jobs.storage.tables import STATISTICS
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORKERS = 12
BUDGET_SECONDS = 0.06
"""Of the processor, for a whole page of which this is a part."""


def counted(minute: int) -> MinuteCounts:
    counts = MinuteCounts(failed=minute % 2)
    for number in range(8):
        counts.count(JobState.COMPLETED, [0.001 * (minute % 50)], [0.1 * 2**number])
    return counts


async def fill(store: StatisticsStore, minutes: int) -> None:
    """Store what the workers counted in each of so many minutes before the start."""
    whole = [(START - number * MINUTE, counted(number)) for number in range(minutes)]
    for number in range(WORKERS):
        await store.save(f"host-{number}", whole)


async def rows(database: Database) -> int:
    async with database.reading() as session:
        counting = select(func.count()).select_from(STATISTICS)
        return int((await (await session.connection()).execute(counting)).scalar_one())


def comparable(spans: Mapping[datetime, MinuteCounts]) -> dict[datetime, Any]:
    return {
        start: (each.completed, each.failed, each.waits.counts, each.runs.counts)
        for start, each in spans.items()
    }


@pytest.fixture
def statistics(database: Database) -> StatisticsStore:
    return StatisticsStore(database)


@pytest.fixture
def roll_up(database: Database, statistics: StatisticsStore, clock: MovingClock) -> RollUpService:
    return RollUpService(statistics, TypeStatisticsStore(database), clock)


async def test_a_day_of_many_workers_is_read_from_few_rows(
    database: Database, statistics: StatisticsStore, roll_up: RollUpService
) -> None:
    await fill(statistics, 600)
    spans = ((START - DAY, HALF_HOUR), (START - HOUR, MINUTE))
    before = [comparable(await statistics.since(*each)) for each in spans]
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(roll_up.step)
    await roll_up.step()
    assert [comparable(await statistics.since(*each)) for each in spans] == before
    # Of the last minutes those of each worker, of some more than the last hour one each.
    assert await rows(database) <= 6 * WORKERS + 70 + 49
    took = []
    for _ in range(5):
        began = time.process_time()
        await statistics.since(START - DAY, HALF_HOUR)
        took.append(time.process_time() - began)
    # In some of them garbage of other tests may have been collected.
    assert min(took) < BUDGET_SECONDS / 2


async def test_merging_again_and_what_comes_late_change_no_count(
    database: Database, statistics: StatisticsStore, roll_up: RollUpService, clock: MovingClock
) -> None:
    await fill(statistics, 180)
    before = comparable(await statistics.since(START - DAY, 2 * DAY))
    for _ in range(12):
        await roll_up.step()
        clock.advance(timedelta(minutes=17))
    assert comparable(await statistics.since(START - DAY, 2 * DAY)) == before
    assert await rows(database) <= 7
    await statistics.save("late", [(START - 3 * MINUTE, MinuteCounts(cancelled=5))])
    await roll_up.step()
    (whole,) = (await statistics.since(START - DAY, 2 * DAY)).values()
    assert (whole.cancelled, await rows(database) <= 7) == (5, True)


async def test_old_rows_that_are_not_deleted_do_not_hold_up_the_roll_up(
    database: Database, statistics: StatisticsStore, roll_up: RollUpService, clock: MovingClock
) -> None:
    """The clock may have jumped, and then nothing is deleted."""
    halves = [(START - number * HALF_HOUR, MinuteCounts(completed=1)) for number in range(700)]
    await statistics.save("w", halves)
    clock.advance(DAY)
    with anyio.fail_after(20):
        await roll_up.step()
        await roll_up.step()
    assert await rows(database) == 700


async def test_a_write_that_is_late_does_not_count_twice_what_was_merged(
    database: Database,
    statistics: StatisticsStore,
    roll_up: RollUpService,
    store: JobStore,
    clock: MovingClock,
) -> None:
    """The database was away for longer than minutes are left alone, amid a minute."""
    host, versions = HostInfo("worker", "production", "1.0.0"), AppVersions(database)
    service = StatisticsService(statistics, versions, CurrentWorker(), clock, host)
    await store.insert([new_job() for _ in range(3)])
    end: Any = [(each, JobState.COMPLETED, clock.now()) for each in await claim(store)]
    service.count(end[:2])
    await service.step()
    service.count(end[2:])
    clock.advance(timedelta(minutes=10))
    await roll_up.step()
    await service.step()
    await roll_up.step()
    (whole,) = (await statistics.since(START - DAY, 2 * DAY)).values()
    assert whole.completed == 2
