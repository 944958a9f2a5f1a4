"""Pages of jobs in the order of a time: finished ones by their ends, pending ones by due times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.queries.checking import checked_columns
from modhost_background_jobs.queries.load import pending_jobs
from modhost_background_jobs.queries.partitions import Partition, in_state
from modhost_background_jobs.queries.search.conditions import Order, Search
from modhost_background_jobs.queries.selection import Check
from modhost_background_jobs.storage.tables import FINISHED, JOBS

PARTS_PER_STATEMENT: Final = 200
"""SQLite joins at most 500 SELECTs."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges of indexes that are each in the order of a time, and what is checked besides."""

    table: Table
    column: str
    parts: Sequence[Partition]
    conditions: list[ColumnElement[bool]]
    checks: Sequence[Check]

    @property
    def moment(self) -> ColumnElement[datetime]:
        """The column of the time."""
        return self.table.c[self.column]


async def page_by_time(
    connection: AsyncConnection,
    search: Search,
    start: UUID | None,
    limit: int,
    batch_size: int,
    *,
    ascending: bool,
) -> tuple[list[UUID], UUID | None]:
    """Return ids of jobs beyond the start, and the one at which to continue, if any.

    Whatever no index answers is checked of `batch_size` jobs. A start that is gone meanwhile is
    the beginning.

    Args:
        connection: where to read.
        search: which jobs; its order is that of a time.
        start: the job beyond which they are; None for the beginning.
        limit: how many.
        batch_size: how many jobs are checked.
        ascending: whether the earliest goes first.

    """
    ranges = await _ranges_of(connection, search)
    conditions = list(ranges.conditions)
    if start is not None and (moment := await _moment_of(connection, ranges, start)) is not None:
        conditions.append(_beyond(ranges, moment, start, ascending=ascending))
    at_once = batch_size if ranges.checks else limit + 1
    found: list[tuple[datetime, UUID, bool]] = []
    for first in range(0, len(ranges.parts), PARTS_PER_STATEMENT):
        some = ranges.parts[first : first + PARTS_PER_STATEMENT]
        reading = _batch(ranges, some, conditions, at_once, ascending=ascending)
        found += [(row[0], row[1], bool(row[2])) for row in await connection.execute(reading)]
    found.sort(reverse=not ascending)
    batch = found[:at_once]
    ids = [id_ for _, id_, passes in batch if passes]
    if len(ids) > limit:
        return ids[:limit], ids[limit - 1]
    return ids, batch[-1][1] if ranges.checks and len(batch) == at_once else None


async def _ranges_of(connection: AsyncConnection, search: Search) -> Ranges:
    table, column = (
        (FINISHED, "completed_at") if search.order is Order.FINISHED else (JOBS, "execute_at")
    )
    checks = search.all_checks()
    if search.order is Order.FINISHED:
        parts = [Partition(FINISHED, [in_state(FINISHED, state)]) for state in search.states]
    else:
        parts = [
            part
            for each in await pending_jobs(connection)
            if search.job_type in (None, each.job_type) and search.queue in (None, each.queue)
            for part in each.partitions()
        ]
    return Ranges(table, column, parts, search.of_time(table.c[column]), checks)


async def _moment_of(connection: AsyncConnection, ranges: Ranges, id_: UUID) -> datetime | None:
    reading = select(ranges.moment).where(ranges.table.c.id == id_)
    moment: datetime | None = (await connection.execute(reading)).scalar_one_or_none()
    return moment


def _beyond(ranges: Ranges, moment: datetime, id_: UUID, *, ascending: bool) -> ColumnElement[bool]:
    column, own = ranges.moment, ranges.table.c.id
    # The first condition is what the index is entered by.
    if ascending:
        return and_(column >= moment, or_(column > moment, own > id_))
    return and_(column <= moment, or_(column < moment, own < id_))


def _batch(
    ranges: Ranges,
    some: Sequence[Partition],
    conditions: list[ColumnElement[bool]],
    at_once: int,
    *,
    ascending: bool,
) -> Select[Any]:
    """Select the next jobs of all ranges, so many of each, and of these so many."""
    columns = checked_columns(ranges.table)
    order = (ranges.moment, ranges.table.c.id)
    parts: list[Select[Any]] = []
    for each in some:
        ordered = (
            each.narrowed(*conditions).select(*columns).order_by(*_in(order, ascending=ascending))
        )
        parts.append(select(ordered.limit(at_once).subquery()))
    of_all = union_all(*parts).subquery()
    passes = and_(true(), *(check(of_all.c) for check in ranges.checks))
    both = (of_all.c[ranges.column], of_all.c.id)
    return select(*both, passes).order_by(*_in(both, ascending=ascending)).limit(at_once)


def _in(order: Sequence[ColumnElement[Any]], *, ascending: bool) -> list[ColumnElement[Any]]:
    return [each.asc() if ascending else each.desc() for each in order]
