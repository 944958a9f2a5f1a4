"""Pages of finished jobs in the order of their ends, the latest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import in_state
from modhost_background_jobs.queries.search.conditions import Search
from modhost_background_jobs.queries.selection import CHECKED, Columns
from modhost_background_jobs.storage.tables import FINISHED


async def page_by_end(
    connection: AsyncConnection,
    search: Search,
    start: UUID | None,
    limit: int,
    batch_size: int,
    *,
    ascending: bool,
) -> tuple[list[UUID], UUID | None]:
    """Return ids of finished jobs beyond the start, and the one at which to continue, if any.

    They are found by the index of states and ends. Whatever else is searched is checked of
    `batch_size` jobs. A start that is deleted meanwhile is the beginning.
    """
    conditions = search.of_end(FINISHED.c.completed_at)
    if start is not None and (ended_at := await _end_of(connection, start)) is not None:
        conditions.append(_beyond(ended_at, start, ascending=ascending))
    checks = search.all_checks()
    at_once = batch_size if checks else limit + 1
    batch = _batch(search.states, conditions, at_once, ascending=ascending)
    passing = select(batch.c.id).where(*(check(batch.c) for check in checks))
    ordered = passing.order_by(*_order(batch.c, ascending=ascending)).limit(limit + 1)
    ids = list((await connection.execute(ordered)).scalars())
    if len(ids) > limit:
        return ids[:limit], ids[limit - 1]
    if not checks:
        return ids, None
    last = select(batch.c.id).order_by(*_order(batch.c, ascending=ascending))
    resume = await connection.execute(last.offset(at_once - 1).limit(1))
    return ids, resume.scalar_one_or_none()


async def _end_of(connection: AsyncConnection, id_: UUID) -> datetime | None:
    reading = select(FINISHED.c.completed_at).where(FINISHED.c.id == id_)
    ended_at: datetime | None = (await connection.execute(reading)).scalar_one_or_none()
    return ended_at


def _beyond(ended_at: datetime, id_: UUID, *, ascending: bool) -> ColumnElement[bool]:
    end, own = FINISHED.c.completed_at, FINISHED.c.id
    # The first condition is what the index is entered by.
    if ascending:
        return and_(end >= ended_at, or_(end > ended_at, own > id_))
    return and_(end <= ended_at, or_(end < ended_at, own < id_))


def _batch(
    states: tuple[JobState, ...],
    conditions: list[ColumnElement[bool]],
    at_once: int,
    *,
    ascending: bool,
) -> Subquery:
    """Select the next jobs of all states: so many of each, and of these so many."""
    columns = [FINISHED.c[name] for name in CHECKED]
    parts: list[Select[Any]] = []
    for state in states:
        of_state = select(*columns).where(in_state(FINISHED, state), *conditions)
        ordered = of_state.order_by(*_order(FINISHED.c, ascending=ascending)).limit(at_once)
        parts.append(select(ordered.subquery()))
    of_all = union_all(*parts).subquery()
    merged = select(of_all).order_by(*_order(of_all.c, ascending=ascending))
    return merged.limit(at_once).subquery()


def _order(columns: Columns, *, ascending: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    if ascending:
        return columns.completed_at.asc(), columns.id.asc()
    return columns.completed_at.desc(), columns.id.desc()
