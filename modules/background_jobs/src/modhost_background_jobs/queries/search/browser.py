"""Jobs page by page, from where the last page ended: as fast with millions of them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries import checking
from modhost_background_jobs.queries.checking import narrow
from modhost_background_jobs.queries.partitions import Partition, in_queues, values_of
from modhost_background_jobs.queries.rows import rows_of
from modhost_background_jobs.queries.search.by_time import page_by_time
from modhost_background_jobs.queries.search.conditions import Order, Search, partitions_of_search
from modhost_background_jobs.queries.search.kinds import Kinds, count_kinds, kinds_of
from modhost_background_jobs.queries.search.words import BATCH_SIZE
from modhost_background_jobs.storage.tables import FINISHED, JOBS

MAX_COUNTED_ERRORS: Final = 10_000
"""Jobs with some words are counted among so many of the newest jobs with an error."""
MAX_CHECKED: Final = 100_000
"""Jobs with other conditions that no index answers are counted among so many of the newest."""

_FINISHED_TYPES: Final = values_of("job_type", Partition(FINISHED))
_LIVE_QUEUES: Final = values_of("queue", in_queues(JOBS), "live")
_FINISHED_QUEUES: Final = values_of("queue", in_queues(FINISHED), "finished")


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs in the order of their ids, the newest first.

    Attributes:
        newer: the id after which to continue with newer jobs, if there may be any.
        older: the id before which to continue with older jobs, if there may be any. A search with
            a condition that no index answers checks a bounded number of jobs at a time: it may
            then be of a job that is not found.

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
        checked_at_once: how many jobs are checked for one page, where no index answers.

    """

    def __init__(
        self,
        database: Database,
        *,
        batch_size: int = BATCH_SIZE,
        max_counted_errors: int = MAX_COUNTED_ERRORS,
        checked_at_once: int = checking.BATCH_SIZE,
    ) -> None:
        self.batch_size = batch_size
        self.max_counted_errors = max_counted_errors
        self.checked_at_once = checked_at_once
        self._database = database

    async def older(self, search: Search, before: UUID | None, limit: int) -> JobPage:
        """Return the newest jobs, or the newest of those that are older than one."""
        rows, older = await self._page(search, before, limit)
        return JobPage(rows, newer=rows[0].id if rows and before else None, older=older)

    async def ids_below(
        self, search: Search, before: UUID | None, limit: int
    ) -> tuple[list[UUID], UUID | None]:
        """Return the next ids in falling order, whatever the order of the search.

        For those who change the jobs as they go: a place in the order of the ids stays one when
        its job is gone.
        """
        async with self._database.reading() as session:
            connection = await session.connection()
            return await self._ids(connection, search, before, limit)

    async def newer(self, search: Search, after: UUID, limit: int) -> JobPage:
        """Return the oldest of the jobs that are newer than one."""
        rows, newer = await self._page(search, after, limit, ascending=True)
        return JobPage(rows[::-1], newer=newer, older=rows[0].id if rows else None)

    async def count(self, search: Search, bound: int) -> Count:
        """Return how many jobs match, counted up to a bound."""
        async with self._database.reading() as session:
            connection = await session.connection()
            partitions, is_whole = await self._bounded(connection, search)
            if not partitions:
                return Count(0, is_all=True)
            bounded = [select(each.ids().limit(bound).subquery()) for each in partitions]
            limited = select(union_all(*bounded).subquery()).limit(bound).subquery()
            counted = await connection.execute(select(func.count()).select_from(limited))
            number = int(counted.scalar_one())
            return Count(number, is_all=number < bound and is_whole)

    async def count_kinds(self, search: Search, bound: int) -> Kinds:
        """Return how many jobs of each state and type match, counted up to a bound."""
        async with self._database.reading() as session:
            connection = await session.connection()
            partitions, is_whole = await self._bounded(connection, search)
            kinds = await count_kinds(connection, partitions, bound)
            return Kinds(kinds, is_all=is_whole and sum(each.number for each in kinds) < bound)

    async def kinds_of(self, ids: Collection[UUID]) -> Kinds:
        """Return how many of these jobs are of each state and type."""
        async with self._database.reading() as session:
            return Kinds(await kinds_of(await session.connection(), ids), is_all=True)

    async def _bounded(
        self, connection: AsyncConnection, search: Search
    ) -> tuple[list[Partition], bool]:
        """Return where the jobs are that match, and whether all were checked."""
        partitions = await partitions_of_search(connection, search)
        has_errors = search.words is not None and search.in_errors
        at_most = self.max_counted_errors if has_errors else MAX_CHECKED
        partitions, end = await narrow(connection, partitions, at_most)
        return partitions, end is None

    async def finished_types(self) -> list[str]:
        """Return the types of the finished jobs, by name."""
        types = select(_FINISHED_TYPES).where(_FINISHED_TYPES.c.job_type.is_not(None))
        async with self._database.reading() as session:
            return list((await (await session.connection()).execute(types)).scalars())

    async def queues(self) -> list[str]:
        """Return the queues that jobs are in, by name, and the default one, which is the first."""
        known = union_all(*(select(each.c.queue) for each in (_LIVE_QUEUES, _FINISHED_QUEUES)))
        async with self._database.reading() as session:
            found = set((await (await session.connection()).execute(known)).scalars())
        return [DEFAULT_QUEUE, *sorted(found - {None})]

    def batch_of(self, search: Search) -> int:
        """Return how many jobs are checked for one page of a search."""
        has_errors = search.words is not None and search.in_errors
        return self.batch_size if has_errors else self.checked_at_once

    async def _page(
        self, search: Search, start: UUID | None, limit: int, *, ascending: bool = False
    ) -> tuple[list[JobRow], UUID | None]:
        """Return jobs beyond the start, and the id at which to continue if there may be more."""
        if search.order is not Order.CREATED:
            return await self._page_by_time(search, start, limit, ascending=ascending)
        async with self._database.reading() as session:
            connection = await session.connection()
            # By the ids: a job that is deleted before its row is read does not end the search.
            ids, resume = await self._ids(connection, search, start, limit, ascending=ascending)
            return await rows_of(connection, ids), resume

    async def _ids(
        self,
        connection: AsyncConnection,
        search: Search,
        start: UUID | None,
        limit: int,
        *,
        ascending: bool = False,
    ) -> tuple[list[UUID], UUID | None]:
        partitions = await partitions_of_search(connection, search)
        if not partitions:
            return [], None
        if start is not None:
            partitions = [
                each.narrowed(each.id > start if ascending else each.id < start)
                for each in partitions
            ]
        partitions, end = await narrow(
            connection, partitions, self.batch_of(search), ascending=ascending
        )
        one_more = limit + 1
        ranges = [
            select(each.ids().order_by(each.order(ascending=ascending)).limit(one_more).subquery())
            for each in partitions
        ]
        both = union_all(*ranges).subquery()
        order = both.c.id.asc() if ascending else both.c.id.desc()
        found = await connection.execute(select(both.c.id).order_by(order).limit(one_more))
        ids = list(found.scalars())
        return ids[:limit], ids[limit - 1] if len(ids) > limit else end

    async def _page_by_time(
        self, search: Search, start: UUID | None, limit: int, *, ascending: bool
    ) -> tuple[list[JobRow], UUID | None]:
        if (in_order := search.in_order) is None:
            return [], None
        batch = self.batch_of(search)
        # Of due times the earliest goes first.
        ascending = ascending != (search.order is Order.DUE)
        async with self._database.reading() as session:
            connection = await session.connection()
            ids, resume = await page_by_time(
                connection, in_order, start, limit, batch, ascending=ascending
            )
            return await rows_of(connection, ids), resume
