"""Roll-ups by the minute, so that no page counts history.

Each worker writes rows of its own: nobody waits for a shared counter. Once a minute is past they
are merged into one row of all workers, and minutes that are older than an hour by the half hour: a
page reads as many rows whatever workers there are or were.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts
from modhost_background_jobs.storage.dialects import try_lock, upsert
from modhost_background_jobs.storage.statistics.rows import (
    BATCH_SIZE,
    MERGED_AFTER,
    MINUTE,
    OF_ALL,
    TYPE_KEY,
    columns_of,
    counts_of,
    type_row,
)
from modhost_background_jobs.storage.tables import STATISTICS, TYPE_STATISTICS

HALF_HOUR: Final = timedelta(minutes=30)
MINUTES_FOR: Final = timedelta(minutes=70)
"""So long minutes are told apart, which the last hour is read by."""
KEPT: Final = timedelta(days=8)
"""A week, and the bar that it begins in."""
MERGED_FOR: Final = timedelta(days=2)
"""A minute that a worker writes later stays apart."""
_LOCK: Final = 0x6D696E75
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS: Final = STATISTICS.c
_KEY: Final = ["minute", "worker"]


class StatisticsStore:
    """Writes, merges and reads the roll-ups."""

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
            if rows:
                await upsert(connection, STATISTICS, rows, _KEY)
            if typed := [type_row(worker, MINUTE, each) for each in of_types]:
                await upsert(connection, TYPE_STATISTICS, typed, TYPE_KEY)

    async def since(self, moment: datetime, width: timedelta) -> dict[datetime, MinuteCounts]:
        """Return what ended since a moment, added up over spans of a width from that moment on.

        Args:
            moment: the start of a minute within the last hour, or of a half hour.
            width: the length of the spans; half hours where it is longer ago.

        """
        statement = select(STATISTICS).where(STATISTICS.c.minute >= moment)
        spans: dict[datetime, MinuteCounts] = {}
        async with self._database.reading() as session:
            for row in (await (await session.connection()).execute(statement)).mappings():
                start = moment + (row["minute"] - moment) // width * width
                spans.setdefault(start, MinuteCounts()).merge(counts_of(row))
        return spans

    async def merge(self, now: datetime) -> int:
        """Merge some of the minutes that are past; return how many rows.

        Where another host does so at the moment, it is left to that one.
        """
        async with self._database.session() as session:
            connection = await session.connection()
            if not await try_lock(connection, _LOCK):
                return 0
            taken = await _take(connection, now)
            await _add(connection, taken)
        return len(taken)

    async def forget(self, before: datetime) -> None:
        """Delete the roll-ups of the minutes before a moment."""
        async with self._database.session() as session:
            # Rows that somebody else has locked are left to the next time.
            key = tuple_(STATISTICS.c.minute, STATISTICS.c.worker)
            rows = STATISTICS.alias("old")
            old = select(rows.c.minute, rows.c.worker).where(rows.c.minute < before)
            deleting = delete(STATISTICS).where(key.in_(old.with_for_update(skip_locked=True)))
            await (await session.connection()).execute(deleting)


async def _take(connection: AsyncConnection, now: datetime) -> list[tuple[datetime, MinuteCounts]]:
    """Delete some rows to merge; return the starts of what they belong to, and their counts."""
    by_half_hour = (now - MINUTES_FOR).replace(second=0, microsecond=0)
    merged = _half_hours(by_half_hour)
    rows = STATISTICS.alias("old")
    to_merge = or_(
        and_(rows.c.worker != OF_ALL, rows.c.minute < now - MERGED_AFTER),
        and_(
            rows.c.minute.between(merged[-1], by_half_hour - MINUTE), rows.c.minute.not_in(merged)
        ),
    )
    some = select(rows.c.minute, rows.c.worker).where(to_merge).order_by(rows.c.minute)
    some = some.limit(BATCH_SIZE).with_for_update(skip_locked=True)
    key = tuple_(_ROWS.minute, _ROWS.worker)
    taking = delete(STATISTICS).where(key.in_(some)).returning(*_ROWS)
    return [
        (
            _half_hour_of(row["minute"]) if row["minute"] < by_half_hour else row["minute"],
            counts_of(row),
        )
        for row in (await connection.execute(taking)).mappings()
    ]


async def _add(connection: AsyncConnection, taken: list[tuple[datetime, MinuteCounts]]) -> None:
    """Add to the rows of all workers."""
    if not taken:
        return
    starts = {start for start, _ in taken}
    there = select(STATISTICS).where(_ROWS.worker == OF_ALL, _ROWS.minute.in_(starts))
    found = (await connection.execute(there)).mappings()
    merged = {row["minute"]: counts_of(row) for row in found}
    for start, counts in taken:
        merged.setdefault(start, MinuteCounts()).merge(counts)
    rows = [
        {"minute": start, "worker": OF_ALL, **columns_of(counts)}
        for start, counts in merged.items()
    ]
    await upsert(connection, STATISTICS, rows, _KEY)


def _half_hour_of(minute: datetime) -> datetime:
    return minute - (minute - _EPOCH) % HALF_HOUR


def _half_hours(before: datetime) -> list[datetime]:
    """Return the starts of the last ones, whose rows of all workers are merged already."""
    last = _half_hour_of(before)
    return [last - number * HALF_HOUR for number in range(MERGED_FOR // HALF_HOUR + 2)]
