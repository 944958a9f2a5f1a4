"""Jobs by their ids, by page numbers, by their end, and as the runs of schedules."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import anyio
from sqlalchemy import Select, Table, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.partitions import (
    Partition,
    find_partitions,
    in_state,
    partitions_of,
    running,
)
from modhost_background_jobs.queries.rows import fetch_rows, rows_of, select_rows
from modhost_background_jobs.storage.tables import FINISHED, JOBS

CACHE_SECONDS: Final = 1.0
FEW: Final = 10_000

_Key = tuple[JobState | None, str | None, int]


class JobCounts:
    """Counts jobs; a count of more than `few` finished ones may be `cache_seconds` old."""

    def __init__(self, *, few: int = FEW, cache_seconds: float = CACHE_SECONDS) -> None:
        self.few = few
        self.cache_seconds = cache_seconds
        self._known: dict[_Key, tuple[float, int]] = {}

    async def count(
        self, connection: AsyncConnection, state: JobState | None, job_type: str | None
    ) -> int:
        """Return how many jobs there are in a state and of a type, or in any and of any."""
        if state is JobState.PENDING and job_type is None:
            # No index has all pending jobs; the running ones are few.
            live = await self._count(connection, Partition(JOBS), (None, None, 0))
            return max(0, live - await self._count(connection, running(), (state, None, 0)))
        total = 0
        for number, partition in enumerate(partitions_of(state, job_type)):
            total += await self._count(connection, partition, (state, job_type, number))
        return total

    async def _count(self, connection: AsyncConnection, partition: Partition, key: _Key) -> int:
        now = anyio.current_time()
        known = self._known.get(key)
        if known is not None and now - known[0] < self.cache_seconds:
            return known[1]
        counting = select(func.count()).select_from(partition.table).where(*partition.conditions)
        count: int = (await connection.execute(counting)).scalar_one()
        self._known.pop(key, None)
        if partition.table is FINISHED and count > self.few:
            self._known[key] = (now, count)
        return count


_SCHEDULES_PER_STATEMENT: Final = 50


class JobListing:
    """Reads jobs without their data."""

    def __init__(self, database: Database, counts: JobCounts | None = None) -> None:
        self._database = database
        self._counts = counts or JobCounts()

    async def page(
        self, state: JobState | None, job_type: str | None, offset: int, limit: int
    ) -> tuple[list[JobRow], int]:
        """Return jobs from an offset on, newest first, and how many there are in all."""
        async with self._database.reading() as session:
            connection = await session.connection()
            partitions = await find_partitions(connection, state, job_type)
            both = union_all(*(each.ids() for each in partitions)).subquery()
            # The ids first, by an index alone: rows are read of the jobs of this page only.
            on_page = select(both.c.id).order_by(both.c.id.desc()).offset(offset).limit(limit)
            total = await self._counts.count(connection, state, job_type)
            ids = list((await connection.execute(on_page)).scalars()) if offset < total else []
            return await rows_of(connection, ids), total

    async def find(self, job_id: UUID) -> JobRow | None:
        """Return a job; None for an unknown id."""
        return next(iter(await self.by_ids([job_id])), None)

    async def by_ids(self, ids: Collection[UUID]) -> list[JobRow]:
        """Return the jobs with these ids that exist, in the order of the ids."""
        async with self._database.reading() as session:
            return await rows_of(await session.connection(), list(ids))

    async def latest_failures(self, limit: int) -> list[JobRow]:
        """Return the jobs that failed last, the last one first."""
        failed = select_rows(FINISHED).where(in_state(FINISHED, JobState.FAILED))
        latest = failed.order_by(FINISHED.c.completed_at.desc()).limit(limit)
        async with self._database.reading() as session:
            return await fetch_rows(await session.connection(), latest)

    async def latest_runs(self, schedules: Sequence[UUID], count: int) -> dict[UUID, list[JobRow]]:
        """Return the latest runs of each schedule, the oldest first."""
        runs: dict[UUID | None, list[JobRow]] = defaultdict(list)
        async with self._database.reading() as session:
            connection = await session.connection()
            for start in range(0, len(schedules), _SCHEDULES_PER_STATEMENT):
                parts = [
                    _latest_runs(table, schedule, count)
                    for schedule in schedules[start : start + _SCHEDULES_PER_STATEMENT]
                    for table in (JOBS, FINISHED)
                ]
                for row in await fetch_rows(connection, select(union_all(*parts).subquery())):
                    runs[row.recurring_job_id].append(row)
        return {
            schedule: sorted(runs[schedule], key=lambda row: row.id)[-count:]
            for schedule in schedules
        }


def _latest_runs(table: Table, schedule: UUID, count: int) -> Select[Any]:
    newest = select_rows(table).where(table.c.recurring_job_id == schedule)
    return select(newest.order_by(table.c.id.desc()).limit(count).subquery())
