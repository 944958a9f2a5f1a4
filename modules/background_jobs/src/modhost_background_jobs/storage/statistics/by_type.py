"""Roll-ups of each job type, by the minute and by the hour, so that no page counts history.

Each worker writes minutes of its own. Once a minute is past they are merged into rows of all
workers, so that what is read does not grow with the workers that there are or were.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    case,
    delete,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage.dialects import try_lock, upsert
from modhost_background_jobs.storage.statistics.rows import (
    BATCH_SIZE,
    HOUR,
    MERGED_AFTER,
    MINUTE,
    OF_ALL,
    TYPE_KEY,
    added_up,
    seconds,
    type_counts_of,
    type_row,
)
from modhost_background_jobs.storage.tables import TYPE_STATISTICS

_LOCK: Final = 0x74797065
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS: Final = TYPE_STATISTICS.c
_SHARED_KEY: Final = tuple_(
    _ROWS.job_type, _ROWS.width, _ROWS.start, _ROWS.queue, _ROWS.app_version
)


class Compared(NamedTuple):
    """What finished within a span, and within the one before it."""

    before: MinuteCounts
    now: MinuteCounts


class TypeStatisticsStore:
    """Merges and reads the roll-ups of job types; `StatisticsStore` writes those of a worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(
        self, moment: datetime, width: timedelta, job_type: str | None = None
    ) -> list[TypeCounts]:
        """Return what finished since a moment.

        Args:
            moment: the start of a minute, or of an hour.
            width: a minute, or an hour; what is not merged yet comes by the minute.
            job_type: the type; None for all.

        """
        of_type = () if job_type is None else (_ROWS.job_type == job_type,)
        async with self._database.reading() as session:
            connection = await session.connection()
            rows = await connection.execute(_since(moment, width, *of_type))
            return [type_counts_of(row) for row in rows.mappings()]

    async def compared(
        self, moment: datetime, middle: datetime, width: timedelta
    ) -> dict[str, Compared]:
        """Return what finished of each type from a moment to another one, and from there on.

        The database puts the rows of a type together: one by one they would take several times
        as long to read.
        """
        rows = _since(moment, width).subquery().c
        is_now = case((rows.start >= middle, 1), else_=0).label("is_now")
        counts = [func.sum(rows[name]).label(name) for name in ("completed", "failed", "cancelled")]
        joined = [func.aggregate_strings(rows[name], ",").label(name) for name in ("waits", "runs")]
        together = select(rows.job_type, is_now, *counts, *joined).group_by(rows.job_type, is_now)
        found: dict[str, Compared] = {}
        async with self._database.reading() as session:
            for row in (await (await session.connection()).execute(together)).mappings():
                known = found.get(row["job_type"], Compared(MinuteCounts(), MinuteCounts()))
                part = {"now" if row["is_now"] else "before": added_up(row)}
                found[row["job_type"]] = known._replace(**part)
        return found

    async def merge(self, now: datetime) -> int:
        """Merge some of what workers counted in minutes that are past; return how many rows.

        Where another host does so at the moment, it is left to that one.
        """
        async with self._database.session() as session:
            connection = await session.connection()
            if not await try_lock(connection, _LOCK):
                return 0
            taken = await _take(connection, now - MERGED_AFTER)
            if taken:
                await _add(connection, [*_by(taken, MINUTE), *_by(taken, HOUR)])
        return len(taken)

    async def forget(self, before: datetime, width: timedelta) -> None:
        """Delete the minutes, or the hours, before a moment."""
        async with self._database.session() as session:
            # Rows that somebody else has locked are left to the next time.
            rows = TYPE_STATISTICS.alias("old")
            old = select(*(rows.c[name] for name in TYPE_KEY)).where(
                rows.c.width == seconds(width), rows.c.start < before
            )
            key = tuple_(*(_ROWS[name] for name in TYPE_KEY))
            await (await session.connection()).execute(
                delete(TYPE_STATISTICS).where(key.in_(old.with_for_update(skip_locked=True)))
            )


def _since(moment: datetime, width: timedelta, *more: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Return the rows of all workers since a moment, and those that are not merged yet."""
    recent = select(TYPE_STATISTICS).where(_ROWS.start >= moment, *more)
    merged = recent.where(_ROWS.width == seconds(width), _ROWS.worker == OF_ALL)
    return union_all(merged, recent.where(_ROWS.worker != OF_ALL))


async def _take(connection: AsyncConnection, before: datetime) -> list[TypeCounts]:
    """Delete the rows of workers, some of them, and return what they counted."""
    rows = TYPE_STATISTICS.alias("old")
    old = select(*(rows.c[name] for name in TYPE_KEY)).where(
        rows.c.worker != OF_ALL, rows.c.start < before
    )
    some = old.order_by(rows.c.start).limit(BATCH_SIZE).with_for_update(skip_locked=True)
    key = tuple_(*(_ROWS[name] for name in TYPE_KEY))
    taking = delete(TYPE_STATISTICS).where(key.in_(some)).returning(*_ROWS)
    return [type_counts_of(row) for row in (await connection.execute(taking)).mappings()]


def _by(taken: Iterable[TypeCounts], width: timedelta) -> list[tuple[timedelta, TypeCounts]]:
    added: dict[tuple[datetime, TypeKey], MinuteCounts] = {}
    for start, key, counts in taken:
        first = start - (start - _EPOCH) % width
        added.setdefault((first, key), MinuteCounts()).merge(counts)
    return [(width, TypeCounts(start, key, each)) for (start, key), each in added.items()]


async def _add(connection: AsyncConnection, added: list[tuple[timedelta, TypeCounts]]) -> None:
    """Add to the rows of all workers."""
    keys = [
        (each.key.job_type, seconds(width), each.start, each.key.queue, each.key.app_version)
        for width, each in added
    ]
    there = select(TYPE_STATISTICS).where(_ROWS.worker == OF_ALL, _SHARED_KEY.in_(keys))
    before = {
        (row["width"], found.start, found.key): found.counts
        for row in (await connection.execute(there)).mappings()
        if (found := type_counts_of(row))
    }
    for width, each in added:
        if known := before.get((seconds(width), each.start, each.key)):
            each.counts.merge(known)
    rows = [type_row(OF_ALL, width, each) for width, each in added]
    await upsert(connection, TYPE_STATISTICS, rows, TYPE_KEY)
