"""Looking through jobs page by page, from where the last page ended: as fast with millions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.error_search import BATCH_SIZE, look_through, with_errors
from modhost_background_jobs.queries.listing import SHOWN, Row, columns_of, rows_of, rows_with
from modhost_background_jobs.queries.partitions import FINISHED, Part, find_parts, in_state

MAX_COUNTED_IN: Final = 10_000
"""In so many of the newest jobs with an error those with some words are counted."""

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
    """Jobs in the order of their ids, the newest first.

    Attributes:
        newer: the id after which to go on to newer ones, if there may be any.
        older: the id before which to go on to older ones, if there may be any. Words are looked
            for in a bounded number of jobs at a time: it may then be of a job without them.

    """

    rows: list[Row]
    newer: UUID | None
    older: UUID | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many jobs were counted, and whether those are all."""

    number: int
    is_all: bool


class JobBrowser:
    """Reads stretches of the jobs, by the index of their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def older(self, search: Search, before: UUID | None, limit: int) -> Stretch:
        """Return the newest jobs, or the newest of those older than one."""
        rows, older = await self._stretch(search, before, limit)
        return Stretch(
            rows, newer=rows[0]["id"] if rows and before is not None else None, older=older
        )

    async def newer(self, search: Search, after: UUID, limit: int) -> Stretch:
        """Return the oldest of the jobs that are newer than one."""
        rows, newer = await self._stretch(search, after, limit, ascending=True)
        return Stretch(rows[::-1], newer=newer, older=rows[0]["id"] if rows else None)

    async def count(self, search: Search, bound: int) -> Count:
        """Return how many jobs match, but no more than a bound."""
        async with self._database.reading() as session:
            connection = await session.connection()
            parts = await _parts(connection, search)
            end = None
            if search.words is not None:
                parts, end = await look_through(
                    connection, parts, search.words, search.job_type, MAX_COUNTED_IN
                )
            bounded = [select(part.ids().limit(bound).subquery()) for part in parts]
            limited = select(union_all(*bounded).subquery()).limit(bound).subquery()
            counted = await connection.execute(select(func.count()).select_from(limited))
            number = int(counted.scalar_one())
            return Count(number, is_all=number < bound and end is None)

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
        self, search: Search, start: UUID | None, limit: int, *, ascending: bool = False
    ) -> tuple[list[Row], UUID | None]:
        """Return jobs beyond the start, and the id from which to go on if there may be more."""
        async with self._database.reading() as session:
            connection = await session.connection()
            parts = await _parts(connection, search)
            if start is not None:
                parts = [part.narrowed(_beyond(part, start, ascending=ascending)) for part in parts]
            end = None
            if search.words is not None:
                parts, end = await look_through(
                    connection,
                    parts,
                    search.words,
                    search.job_type,
                    BATCH_SIZE,
                    ascending=ascending,
                )
            one_more = limit + 1
            stretches = [
                select(
                    part.ids().order_by(part.order(ascending=ascending)).limit(one_more).subquery()
                )
                for part in parts
            ]
            both = union_all(*stretches).subquery()
            order = both.c.id.asc() if ascending else both.c.id.desc()
            found = await connection.execute(select(both.c.id).order_by(order).limit(one_more))
            ids = list(found.scalars())
            # By the ids: a job that is deleted before its row is read does not end the search.
            on = ids[limit - 1] if len(ids) > limit else end
            return await rows_with(connection, ids[:limit], SHOWN), on


async def _parts(connection: AsyncConnection, search: Search) -> list[Part]:
    """Return the parts to read; for words, those in whose errors they are looked for."""
    if search.words is not None:
        parts = with_errors(search.state)
    else:
        parts = await find_parts(connection, search.state, search.job_type)
    return [part.narrowed(*_in_bounds(part.table, search)) for part in parts]


def _beyond(part: Part, start: UUID, *, ascending: bool) -> ColumnElement[bool]:
    return part.table.c.id > start if ascending else part.table.c.id < start


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
