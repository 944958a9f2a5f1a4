"""Jobs by their ids, by page numbers, and by their end."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, NamedTuple
from uuid import UUID

import anyio
from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.checking import narrow
from modhost_background_jobs.queries.partitions import (
    Partition,
    find_partitions,
    in_state,
    partitions_of,
    running_besides,
)
from modhost_background_jobs.queries.rows import fetch_rows, rows_of, select_rows
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.storage.tables import FINISHED, JOBS

CACHE_SECONDS: Final = 1.0
FEW: Final = 10_000

MAX_CHECKED: Final = 100_000
"""Jobs with conditions that no index answers are counted among so many of the newest."""


class JobCounts:
    """Counts jobs, all parts by one statement: between two of them a job ends and counts twice.

    A count with more than `few` finished jobs may be `cache_seconds` old.
    """

    def __init__(self, *, few: int = FEW, cache_seconds: float = CACHE_SECONDS) -> None:
        self.few = few
        self.cache_seconds = cache_seconds
        self._known: dict[Selection, tuple[float, int]] = {}

    async def count(self, connection: AsyncConnection, selection: Selection) -> int:
        """Return how many jobs are selected, at least where not all of them were checked."""
        now = anyio.current_time()
        known = self._known.pop(selection, None)
        if known is None or now - known[0] >= self.cache_seconds:
            counting = await _counting(connection, selection)
            live, finished = (await connection.execute(counting)).one()
            known = (now, max(0, live) + finished)
            if finished <= self.few:
                return known[1]
        self._known[selection] = known
        return known[1]


async def _counting(connection: AsyncConnection, selection: Selection) -> Select[Any]:
    """Select how many live and how many finished jobs there are."""
    counts: dict[FromClause, ColumnElement[int]] = {JOBS: literal(0), FINISHED: literal(0)}
    if (besides := running_besides(selection)) is not None:
        counts[JOBS] -= _count_of(besides)
        selection = replace(selection, states=(*selection.states, JobState.RUNNING))
    partitions = partitions_of(selection)
    partitions, _ = await narrow(connection, partitions, MAX_CHECKED)
    for partition in partitions:
        is_live = partition.table is JOBS
        counts[JOBS if is_live else FINISHED] += _count_of(partition)
    return select(*counts.values())


def _count_of(partition: Partition) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(partition.table).where(*partition.conditions)
    return counted.scalar_subquery()


class ListPage(NamedTuple):
    """A page of jobs, how many there are on all pages, and before which id there may be more."""

    rows: list[JobRow]
    total: int
    older: UUID | None


class JobListing:
    """Reads jobs without their data."""

    def __init__(self, database: Database, counts: JobCounts | None = None) -> None:
        self._database = database
        self._counts = counts or JobCounts()

    async def page(self, selection: Selection, offset: int, limit: int) -> ListPage:
        """Return jobs from an offset on, newest first."""
        async with self._database.reading() as session:
            connection = await session.connection()
            partitions = await find_partitions(connection, selection)
            partitions, end = await narrow(connection, partitions, MAX_CHECKED)
            both = union_all(*(each.ids() for each in partitions)).subquery()
            # The ids first, by an index alone: rows are read of the jobs of this page only.
            on_page = select(both.c.id).order_by(both.c.id.desc()).offset(offset).limit(limit + 1)
            total = await self._counts.count(connection, selection)
            ids = list((await connection.execute(on_page)).scalars()) if offset < total else []
            has_more, ids = len(ids) > limit, ids[:limit]
            return ListPage(await rows_of(connection, ids), total, ids[-1] if has_more else end)

    async def count(self, selection: Selection) -> int:
        """Return how many jobs are selected, of those that are checked where no index answers."""
        async with self._database.reading() as session:
            return await self._counts.count(await session.connection(), selection)

    async def find(self, job_id: UUID) -> JobRow | None:
        """Return a job; None for an unknown id."""
        return next(iter(await self.by_ids([job_id])), None)

    async def by_ids(self, ids: Collection[UUID]) -> list[JobRow]:
        """Return the jobs with these ids that exist, in the order of the ids."""
        async with self._database.reading() as session:
            return await rows_of(await session.connection(), list(ids))

    async def latest_failures(self, limit: int) -> list[JobRow]:
        """Return the jobs that failed last, the last one first."""
        failed = select_rows(FINISHED).where(in_state(FINISHED, JobState.FAILED))
        latest = failed.order_by(FINISHED.c.completed_at.desc()).limit(limit)
        async with self._database.reading() as session:
            return await fetch_rows(await session.connection(), latest)
