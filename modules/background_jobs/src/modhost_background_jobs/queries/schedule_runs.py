"""The latest runs of each schedule."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Table, select, union_all

from modhost.database import Database
from modhost_background_jobs.queries.listing import Row, columns_of, rows_of
from modhost_background_jobs.queries.partitions import FINISHED, JOBS

_SHOWN: Final = ("id", "state", "created_at", "started_at", "error", "recurring_job_id")
_BATCH_SIZE: Final = 50


class RecurringRuns:
    """Reads runs by the index of their schedule."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, schedules: Sequence[UUID], count: int) -> dict[UUID, list[Row]]:
        """Return the latest runs of each schedule, the oldest first."""
        runs: dict[UUID, list[Row]] = defaultdict(list)
        async with self._database.reading() as session:
            connection = await session.connection()
            for start in range(0, len(schedules), _BATCH_SIZE):
                parts = [
                    _latest(table, schedule, count)
                    for schedule in schedules[start : start + _BATCH_SIZE]
                    for table in (JOBS, FINISHED)
                ]
                for row in await rows_of(connection, select(union_all(*parts).subquery())):
                    runs[row["recurring_job_id"]].append(row)
        return {
            schedule: sorted(rows, key=lambda row: row["id"])[-count:]
            for schedule, rows in runs.items()
        }


def _latest(table: Table, schedule: UUID, count: int) -> Select[Any]:
    newest = columns_of(table, _SHOWN).where(table.c.recurring_job_id == schedule)
    return select(newest.order_by(table.c.id.desc()).limit(count).subquery())
