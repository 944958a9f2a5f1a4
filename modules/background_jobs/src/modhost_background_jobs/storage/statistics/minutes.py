"""Roll-ups by the minute, so that no page counts history.

Each worker writes rows of its own: nobody waits for a shared counter.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, tuple_

from modhost.database import Database
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts
from modhost_background_jobs.storage.dialects import upsert
from modhost_background_jobs.storage.statistics.rows import (
    MINUTE,
    TYPE_KEY,
    columns_of,
    counts_of,
    type_row,
)
from modhost_background_jobs.storage.tables import STATISTICS, TYPE_STATISTICS


class StatisticsStore:
    """Writes and reads the roll-ups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self,
        worker: str,
        minutes: Sequence[tuple[datetime, MinuteCounts]],
        of_types: Iterable[TypeCounts] = (),
    ) -> None:
        """Store a worker's counts of some minutes, in place of what it stored of them before.

        Args:
            worker: its name.
            minutes: what finished in some minutes.
            of_types: what finished of each type in these minutes.

        """
        rows = [
            {"minute": minute, "worker": worker, **columns_of(counts)} for minute, counts in minutes
        ]
        async with self._database.session() as session:
            connection = await session.connection()
            await upsert(connection, STATISTICS, rows, ["minute", "worker"])
            if typed := [type_row(worker, MINUTE, each) for each in of_types]:
                await upsert(connection, TYPE_STATISTICS, typed, TYPE_KEY)

    async def since(self, moment: datetime, width: timedelta) -> dict[datetime, MinuteCounts]:
        """Return what ended since a moment, added up over spans of a width from that moment on."""
        statement = select(STATISTICS).where(STATISTICS.c.minute >= moment)
        spans: dict[datetime, MinuteCounts] = {}
        async with self._database.reading() as session:
            for row in (await (await session.connection()).execute(statement)).mappings():
                start = moment + (row["minute"] - moment) // width * width
                spans.setdefault(start, MinuteCounts()).merge(counts_of(row))
        return spans

    async def failed_since(self, moment: datetime) -> int:
        """Return how many jobs have failed since a moment, by whole minutes."""
        failed = select(func.coalesce(func.sum(STATISTICS.c.failed), 0))
        async with self._database.reading() as session:
            counted = failed.where(STATISTICS.c.minute >= moment)
            return int((await (await session.connection()).execute(counted)).scalar_one())

    async def forget(self, before: datetime) -> None:
        """Delete the roll-ups of the minutes before a moment."""
        async with self._database.session() as session:
            # Rows that somebody else has locked are left to the next time.
            key = tuple_(STATISTICS.c.minute, STATISTICS.c.worker)
            rows = STATISTICS.alias("old")
            old = select(rows.c.minute, rows.c.worker).where(rows.c.minute < before)
            deleting = delete(STATISTICS).where(key.in_(old.with_for_update(skip_locked=True)))
            await (await session.connection()).execute(deleting)
