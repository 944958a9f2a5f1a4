"""Jobs page by page, from where the last page ended: as fast with millions of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.error_search import (
    BATCH_SIZE,
    ErrorSearch,
    partitions_with_errors,
)
from modhost_background_jobs.queries.partitions import Partition, find_partitions, types_of
from modhost_background_jobs.queries.rows import rows_of
from modhost_background_jobs.storage.tables import FINISHED

MAX_COUNTED_ERRORS: Final = 10_000
"""Jobs with some words are counted among so many of the newest jobs with an error."""

_FINISHED_TYPES: Final = types_of(Partition(FINISHED))


@dataclass(frozen=True, slots=True)
class Search:
    """Which jobs: all conditions that are given hold; the bounds of ids are inclusive.

    Attributes:
        words: part of the error, in any case.
        first: the smallest id; ids sort by the time of their creation.
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
class JobPage:
    """Jobs in the order of their ids, the newest first.

    Attributes:
        newer: the id after which to continue with newer jobs, if there may be any.
        older: the id before which to continue with older jobs, if there may be any. A search for
            words reads a bounded number of jobs at a time: it may then be of a job without them.

    """

    rows: list[JobRow]
    newer: UUID | None
    older: UUID | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many jobs were counted, and whether those are all."""

    number: int
    is_all: bool


class JobBrowser:
    """Reads pages of jobs, by the index of their ids.

    Args:
        database: where the jobs are.
        batch_size: how many errors are searched for one page.
        max_counted_errors: among how many errors jobs with some words are counted.

    """

    def __init__(
        self,
        database: Database,
        *,
        batch_size: int = BATCH_SIZE,
        max_counted_errors: int = MAX_COUNTED_ERRORS,
    ) -> None:
        self.batch_size = batch_size
        self.max_counted_errors = max_counted_errors
        self._database = database

    async def older(self, search: Search, before: UUID | None, limit: int) -> JobPage:
        """Return the newest jobs, or the newest of those that are older than one."""
        rows, older = await self._page(search, before, limit)
        return JobPage(rows, newer=rows[0].id if rows and before else None, older=older)

    async def newer(self, search: Search, after: UUID, limit: int) -> JobPage:
        """Return the oldest of the jobs that are newer than one."""
        rows, newer = await self._page(search, after, limit, ascending=True)
        return JobPage(rows[::-1], newer=newer, older=rows[0].id if rows else None)

    async def count(self, search: Search, bound: int) -> Count:
        """Return how many jobs match, counted up to a bound."""
        async with self._database.reading() as session:
            connection = await session.connection()
            partitions = await _partitions(connection, search)
            end = None
            if search.words is not None:
                errors = ErrorSearch(search.words, search.job_type, self.max_counted_errors)
                partitions, end = await errors.narrow(connection, partitions)
            bounded = [select(each.ids().limit(bound).subquery()) for each in partitions]
            limited = select(union_all(*bounded).subquery()).limit(bound).subquery()
            counted = await connection.execute(select(func.count()).select_from(limited))
            number = int(counted.scalar_one())
            return Count(number, is_all=number < bound and end is None)

    async def finished_types(self) -> list[str]:
        """Return the types of the finished jobs, by name."""
        types = select(_FINISHED_TYPES).where(_FINISHED_TYPES.c.job_type.is_not(None))
        async with self._database.reading() as session:
            return list((await (await session.connection()).execute(types)).scalars())

    async def _page(
        self, search: Search, start: UUID | None, limit: int, *, ascending: bool = False
    ) -> tuple[list[JobRow], UUID | None]:
        """Return jobs beyond the start, and the id at which to continue if there may be more."""
        async with self._database.reading() as session:
            connection = await session.connection()
            partitions = await _partitions(connection, search)
            if start is not None:
                partitions = [
                    each.narrowed(each.table.c.id > start if ascending else each.table.c.id < start)
                    for each in partitions
                ]
            end = None
            if search.words is not None:
                errors = ErrorSearch(search.words, search.job_type, self.batch_size, ascending)
                partitions, end = await errors.narrow(connection, partitions)
            one_more = limit + 1
            ranges = [
                select(
                    each.ids().order_by(each.order(ascending=ascending)).limit(one_more).subquery()
                )
                for each in partitions
            ]
            both = union_all(*ranges).subquery()
            order = both.c.id.asc() if ascending else both.c.id.desc()
            found = await connection.execute(select(both.c.id).order_by(order).limit(one_more))
            ids = list(found.scalars())
            # By the ids: a job that is deleted before its row is read does not end the search.
            resume = ids[limit - 1] if len(ids) > limit else end
            return await rows_of(connection, ids[:limit]), resume


async def _partitions(connection: AsyncConnection, search: Search) -> list[Partition]:
    """Return the partitions to read; for words, those whose errors are searched."""
    if search.words is not None:
        partitions = partitions_with_errors(search.state)
    else:
        partitions = await find_partitions(connection, search.state, search.job_type)
    return [each.narrowed(*_in_bounds(each.table, search)) for each in partitions]


def _in_bounds(table: Table, search: Search) -> list[ColumnElement[bool]]:
    # The first 48 bits of an id are the milliseconds of its creation.
    since = search.since and _smallest_id(search.since)
    until = search.until and _smallest_id(search.until)
    bounds = [
        (search.first, table.c.id.__ge__),
        (search.last, table.c.id.__le__),
        (since, table.c.id.__ge__),
        (until, table.c.id.__lt__),
    ]
    return [compare(bound) for bound, compare in bounds if bound is not None]


def _smallest_id(moment: datetime) -> UUID:
    milliseconds = int(max(0.0, moment.timestamp()) * 1000)
    return UUID(int=min(milliseconds, 2**48 - 1) << 80)
