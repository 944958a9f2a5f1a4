"""Roll-ups of job types: counted by each worker, merged by the minute and by the hour."""

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
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.statistics import (
    AppVersions,
    StatisticsStore,
    TypeStatisticsStore,
)
from modhost_background_jobs.storage.statistics.rows import HOUR, MINUTE, columns_of
from modhost_background_jobs.storage.tables import TYPE_STATISTICS
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

KEY = TypeKey("tests.Job", "default", "2.1")
DAY = timedelta(days=1)


def counted(completed: int, failed: int = 0, ran: float = 0.5) -> MinuteCounts:
    counts = MinuteCounts()
    for state, number in ((JobState.COMPLETED, completed), (JobState.FAILED, failed)):
        counts.count(state, [0.1] * number, [ran] * number)
    return counts


async def add(database: Database, worker: str, start: datetime, counts: MinuteCounts) -> None:
    typed = [TypeCounts(start, KEY, counts)]
    await StatisticsStore(database).save(worker, [(start, counts)], typed)


async def rows(database: Database) -> int:
    async with database.reading() as session:
        counting = select(func.count()).select_from(TYPE_STATISTICS)
        return int((await (await session.connection()).execute(counting)).scalar_one())


async def total(store: TypeStatisticsStore, width: timedelta) -> MinuteCounts:
    whole = MinuteCounts()
    for each in await store.since(START - 100 * DAY, width):
        whole.merge(each.counts)
    return whole


async def columns(store: TypeStatisticsStore) -> list[Mapping[str, Any]]:
    """All that was counted, by the minute and by the hour."""
    return [columns_of(await total(store, width)) for width in (MINUTE, HOUR)]


@pytest.fixture
def of_types(database: Database) -> TypeStatisticsStore:
    return TypeStatisticsStore(database)


async def test_workers_minutes_become_one_row_by_the_minute_and_one_by_the_hour(
    database: Database, of_types: TypeStatisticsStore, clock: MovingClock
) -> None:
    for minute in range(3):
        for worker in ("w1", "w2", "w3"):
            await add(database, worker, START + minute * MINUTE, counted(2, 1))
    before = await columns(of_types)
    roll_up = RollUpService(StatisticsStore(database), of_types, clock)
    await roll_up.step()
    assert await rows(database) == 9, "the minutes are not past yet"
    clock.advance(timedelta(minutes=7))
    await roll_up.step()
    assert await rows(database) == 3 + 2 + 1, "two minutes are past"
    assert await columns(of_types) == before
    clock.advance(MINUTE)
    await roll_up.step()
    assert await rows(database) == 3 + 1
    assert await columns(of_types) == before
    (hour,) = await of_types.since(START - HOUR, HOUR, KEY.job_type)
    assert (hour.start, hour.counts.completed, hour.counts.failed) == (
        START.replace(minute=0),
        18,
        9,
    )
    assert await of_types.since(START - HOUR, HOUR, "tests.Other") == []
    await add(database, "w4", START, counted(1))
    await roll_up.step()
    (hour,) = await of_types.since(START - HOUR, HOUR)
    assert hour.counts.total == 28, "what a worker wrote late is added"


async def test_many_minutes_are_merged_by_several_hosts_at_once_and_counted_once(
    database: Database, of_types: TypeStatisticsStore, clock: MovingClock
) -> None:
    for minute in range(100):
        typed = [
            TypeCounts(START + minute * MINUTE, KEY._replace(queue=f"q{queue}"), counted(1))
            for queue in range(12)
        ]
        await StatisticsStore(database).save("w1", [(START, counted(1))], typed)
    clock.advance(DAY)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(RollUpService(StatisticsStore(database), of_types, clock).step)
    await RollUpService(StatisticsStore(database), of_types, clock).step()
    assert (await total(of_types, HOUR)).completed == 1200
    assert await rows(database) == 1200 + 12 * 3


async def test_minutes_are_kept_for_two_days_and_hours_for_ninety(
    database: Database, of_types: TypeStatisticsStore, clock: MovingClock
) -> None:
    await add(database, "w1", START, counted(1))
    clock.advance(HOUR)
    await RollUpService(StatisticsStore(database), of_types, clock).step()
    await of_types.forget(START + MINUTE, MINUTE)
    assert await rows(database) == 1
    await of_types.forget(START, HOUR)
    assert await rows(database) == 0


async def test_a_worker_counts_types_queues_and_its_application_version(
    database: Database, store: JobStore, of_types: TypeStatisticsStore, clock: MovingClock
) -> None:
    host = HostInfo("worker", "production", "1.0.0", app_version="2.1")
    versions = AppVersions(database)
    service = StatisticsService(StatisticsStore(database), versions, CurrentWorker(), clock, host)
    await service.step()
    await store.insert([new_job() for _ in range(3)] + [new_job(job_type="tests.Other")])
    claimed = await claim(store)
    end: Any = [(each, JobState.COMPLETED, clock.now()) for each in claimed]
    service.count(end[:2])
    await service.step()
    clock.advance(10)
    service.count(end[2:])
    await service.step()
    await service.step()
    found = await of_types.since(START - DAY, MINUTE)
    assert {each.key: each.counts.completed for each in found} == {
        TypeKey("tests.Job", "default", "2.1"): 3,
        TypeKey("tests.Other", "default", "2.1"): 1,
    }
    ((version, first_seen_at),) = await versions.since(START - DAY)
    assert (version, first_seen_at) == ("2.1", START)
    await versions.note("2.1", clock.now())
    assert (await versions.since(START - DAY))[0].first_seen_at == START
    assert await versions.since(START + MINUTE) == []


async def test_a_write_that_is_late_does_not_count_twice_what_was_merged(
    database: Database, store: JobStore, of_types: TypeStatisticsStore, clock: MovingClock
) -> None:
    """The database was away for longer than minutes are left alone, amid a minute."""
    host = HostInfo("worker", "production", "1.0.0")
    statistics = _Away(database)
    service = StatisticsService(statistics, AppVersions(database), CurrentWorker(), clock, host)
    await store.insert([new_job() for _ in range(3)])
    end: Any = [(each, JobState.COMPLETED, clock.now()) for each in await claim(store)]
    service.count(end[:2])
    await service.step()
    service.count(end[2:])
    statistics.is_away = True
    with pytest.raises(OSError, match="away"):
        await service.step()
    clock.advance(timedelta(minutes=10))
    await RollUpService(StatisticsStore(database), of_types, clock).step()
    statistics.is_away = False
    await service.step()
    await RollUpService(StatisticsStore(database), of_types, clock).step()
    assert (await total(of_types, HOUR)).completed == 2


class _Away(StatisticsStore):
    is_away = False

    async def save(self, *arguments: Any) -> None:
        if self.is_away:
            raise OSError("away")
        await super().save(*arguments)
