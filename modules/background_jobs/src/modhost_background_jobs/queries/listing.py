"""Jobs by their ids, by page numbers, by their end, and as the runs of schedules."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import anyio
from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Table,
    func,
    literal,
    select,
    union_all,
)
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

_Key = tuple[JobState | None, str | None]


class JobCounts:
    """Counts jobs, all parts by one statement: between two of them a job ends and counts twice.

    A count with more than `few` finished jobs may be `cache_seconds` old.
    """

    def __init__(self, *, few: int = FEW, cache_seconds: float = CACHE_SECONDS) -> None:
        self.few = few
        self.cache_seconds = cache_seconds
        self._known: dict[_Key, tuple[float, int]] = {}

    async def count(
        self, connection: AsyncConnection, state: JobState | None, job_type: str | None
    ) -> int:
        """Return how many jobs there are in a state and of a type, or in any and of any."""
        now, key = anyio.current_time(), (state, job_type)
        known = self._known.pop(key, None)
        if known is None or now - known[0] >= self.cache_seconds:
            live, finished = (await connection.execute(_counting(state, job_type))).one()
            known = (now, max(0, live) + finished)
            if finished <= self.few:
                return known[1]
        self._known[key] = known
        return known[1]


def _counting(state: JobState | None, job_type: str | None) -> Select[Any]:
    """Select how many live and how many finished jobs there are."""
    counts: dict[Table, ColumnElement[int]] = {JOBS: literal(0), FINISHED: literal(0)}
    if state is JobState.PENDING and job_type is None:
        # No index has all pending jobs; the running ones are few.
        counts[JOBS] = _count_of(Partition(JOBS)) - _count_of(running())
    else:
        for partition in partitions_of(state, job_type):
            counts[partition.table] += _count_of(partition)
    return select(*counts.values())


def _count_of(partition: Partition) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(partition.table).where(*partition.conditions)
    return counted.scalar_subquery()


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

    async def count(self, state: JobState | None, job_type: str | None) -> int:
        """Return how many jobs there are in a state and of a type, or in any and of any."""
        async with self._database.reading() as session:
            return await self._counts.count(await session.connection(), state, job_type)

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
