"""How many jobs there are of each state and type."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Subquery, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import Partition
from modhost_background_jobs.storage.tables import FINISHED, JOBS


@dataclass(frozen=True, slots=True)
class Kind:
    """How many jobs are of a state and a type."""

    state: JobState
    job_type: str
    number: int


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many jobs of each state and type were counted, most first, and whether those are all."""

    kinds: Sequence[Kind]
    is_all: bool

    @property
    def number(self) -> int:
        """How many jobs they are together."""
        return sum(each.number for each in self.kinds)


async def kinds_of(connection: AsyncConnection, ids: Collection[UUID]) -> list[Kind]:
    """Count the jobs with these ids by state and type, those with the most first."""
    parts = [
        select(table.c.state, table.c.job_type).where(table.c.id.in_(ids))
        for table in (JOBS, FINISHED)
    ]
    return await _count(connection, union_all(*parts).subquery())


async def count_kinds(
    connection: AsyncConnection, partitions: Sequence[Partition], bound: int
) -> list[Kind]:
    """Count the jobs of partitions by state and type, those with the most first, up to a bound."""
    parts = [select(_states_and_types(each).limit(bound).subquery()) for each in partitions]
    if not parts:
        return []
    return await _count(connection, select(union_all(*parts).subquery()).limit(bound).subquery())


def _states_and_types(partition: Partition) -> Select[Any]:
    """Select them where the jobs are found; else by their ids, one by one and not by a scan."""
    if not partition.is_of_others:
        return partition.select(partition.table.c.state, partition.table.c.job_type)
    columns = []
    for name in ("state", "job_type"):
        live, finished = (
            select(table.c[name]).where(table.c.id == partition.id).scalar_subquery()
            for table in (JOBS, FINISHED)
        )
        columns.append(func.coalesce(live, finished).label(name))
    return partition.select(*columns)


async def _count(connection: AsyncConnection, jobs: Subquery) -> list[Kind]:
    kind = (jobs.c.state, jobs.c.job_type)
    # What is found by a tag may have been deleted meanwhile.
    counted = select(*kind, func.count()).where(jobs.c.state.is_not(None)).group_by(*kind)
    kinds = [Kind(JobState(row[0]), *row[1:]) for row in await connection.execute(counted)]
    return sorted(kinds, key=lambda each: (-each.number, each.job_type, each.state))
