"""Jobs by their ids, by page numbers, by their end, and as the runs of schedules."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Table, select, union_all

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.counts import JobCounts
from modhost_background_jobs.queries.partitions import find_partitions, in_state
from modhost_background_jobs.queries.rows import fetch_rows, rows_of, select_rows
from modhost_background_jobs.storage.tables import FINISHED, JOBS

_SCHEDULES_PER_STATEMENT: Final = 50


class JobListing:
    """Reads jobs without their data."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts = JobCounts()

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
