"""Looking through jobs page by page, from where the last page ended: as fast with millions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue.listing import SHOWN, Row, columns_of, rows_of, rows_with
from modhost_background_jobs.queue.parts import FINISHED, JOBS, Part, find_parts, in_state, parts_of

MOST_SEARCHED: Final = 10_000
"""How many of the newest failures a search for words looks through."""

# Jumps from type to type in the index, however many jobs each type has.
_FINISHED_TYPES: Final = text("""
WITH RECURSIVE types(job_type) AS (
    SELECT min(job_type) FROM background_jobs.finished_jobs
    UNION ALL
    SELECT (
        SELECT min(f.job_type) FROM background_jobs.finished_jobs f
        WHERE f.job_type > types.job_type
    )
    FROM types WHERE types.job_type IS NOT NULL
)
SELECT job_type FROM types WHERE job_type IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Search:
    """Which jobs: all conditions that are given hold; the bounds of ids are inclusive.

    Attributes:
        words: part of the error, in any case.
        first: the least id; ids sort by the time of their creation.
        last: the greatest id.
        since: created at this time or later.
        until: created before this time.

    """

    state: JobState | None = None
    job_type: str | None = None
    words: str | None = None
    first: UUID | None = None
    last: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Jobs in the order of their ids, the newest first, and whether there are more either way."""

    rows: list[Row]
    has_newer: bool
    has_older: bool


class JobBrowser:
    """Reads stretches of the jobs, by the index of their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def older(self, search: Search, before: UUID | None, limit: int) -> Stretch:
        """Return the newest jobs, or the newest of those older than one."""
        rows = await self._stretch(search, lambda id_: id_ < before if before else None, limit + 1)
        return Stretch(rows[:limit], before is not None, len(rows) > limit)

    async def newer(self, search: Search, after: UUID, limit: int) -> Stretch:
        """Return the oldest of the jobs that are newer than one."""
        rows = await self._stretch(search, lambda id_: id_ > after, limit + 1, ascending=True)
        return Stretch(rows[:limit][::-1], len(rows) > limit, has_older=True)

    async def count(self, search: Search, bound: int) -> int:
        """Return how many jobs match, but no more than a bound."""
        async with self._database.reading() as session:
            connection = await session.connection()
            parts = await _parts(connection, search)
            bounded = [select(part.ids().limit(bound).subquery()) for part in parts]
            limited = select(union_all(*bounded).subquery()).limit(bound).subquery()
            counted = await connection.execute(select(func.count()).select_from(limited))
            return int(counted.scalar_one())

    async def by_ids(self, ids: Collection[UUID]) -> list[Row]:
        """Return the jobs with these ids, in no order."""
        async with self._database.reading() as session:
            return await rows_with(await session.connection(), list(ids), SHOWN)

    async def latest_failures(self, limit: int) -> list[Row]:
        """Return the jobs that failed last, the last one first."""
        failed = columns_of(FINISHED, SHOWN).where(in_state(FINISHED, JobState.FAILED))
        last = failed.order_by(FINISHED.c.completed_at.desc()).limit(limit)
        async with self._database.reading() as session:
            return await rows_of(await session.connection(), last)

    async def finished_types(self) -> list[str]:
        """Return the types of the finished jobs, by name."""
        async with self._database.reading() as session:
            found = await (await session.connection()).execute(_FINISHED_TYPES)
            return list(found.scalars())

    async def _stretch(
        self, search: Search, bound: Any, limit: int, *, ascending: bool = False
    ) -> list[Row]:
        async with self._database.reading() as session:
            connection = await session.connection()
            stretches = []
            for part in await _parts(connection, search):
                condition = bound(part.table.c.id)
                matching = part.ids() if condition is None else part.ids(condition)
                order = part.table.c.id.asc() if ascending else part.table.c.id.desc()
                stretches.append(select(matching.order_by(order).limit(limit).subquery()))
            both = union_all(*stretches).subquery()
            order = both.c.id.asc() if ascending else both.c.id.desc()
            found = await connection.execute(select(both.c.id).order_by(order).limit(limit))
            return await rows_with(connection, list(found.scalars()), SHOWN)


async def _parts(connection: AsyncConnection, search: Search) -> list[Part]:
    """Return the parts to read."""
    if search.words is not None:
        return _with_words(search, search.words)
    return [
        Part(part.table, [*part.conditions, *_in_bounds(part.table, search)])
        for part in await find_parts(connection, search.state, search.job_type)
    ]


def _with_words(search: Search, words: str) -> list[Part]:
    # Words have no index: a bounded number of the newest jobs with an error is looked through,
    # whatever their type, since not each combination has an index either.
    if search.state is None:
        # A skipped run has a reason, which is no failure.
        looked_through = [Part(JOBS), *parts_of(JobState.FAILED)]
    else:
        looked_through = parts_of(search.state)
    return [_matching(part, search, words) for part in looked_through]


def _matching(part: Part, search: Search, words: str) -> Part:
    table = part.table
    newest = (
        select(table.c.id, table.c.job_type, table.c.error)
        .where(*part.conditions, *_in_bounds(table, search), table.c.error.is_not(None))
        .order_by(table.c.id.desc())
        .limit(MOST_SEARCHED)
        .subquery()
    )
    found = [func.lower(newest.c.error).contains(words.lower(), autoescape=True)]
    if search.job_type is not None:
        found.append(newest.c.job_type == search.job_type)
    return Part(table, [table.c.id.in_(select(newest.c.id).where(*found))])


def _in_bounds(table: Table, search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.first is not None:
        conditions.append(table.c.id >= search.first)
    if search.last is not None:
        conditions.append(table.c.id <= search.last)
    # The first 48 bits of an id are the milliseconds of its creation.
    if search.since is not None:
        conditions.append(table.c.id >= _least_id(search.since))
    if search.until is not None:
        conditions.append(table.c.id < _least_id(search.until))
    return conditions


def _least_id(moment: datetime) -> UUID:
    milliseconds = int(max(0.0, moment.timestamp()) * 1000)
    return UUID(int=min(milliseconds, 2**48 - 1) << 80)
