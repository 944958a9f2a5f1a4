"""How many jobs there are of each state and type."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
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


async def count_kinds(
    connection: AsyncConnection, ids: Select[Any] | Collection[UUID]
) -> list[Kind]:
    """Count the jobs with these ids by state and type, those with the most first."""
    parts = [
        select(table.c.id, table.c.state, table.c.job_type).where(table.c.id.in_(ids))
        for table in (JOBS, FINISHED)
    ]
    jobs = union_all(*parts).subquery()
    counted = select(jobs.c.state, jobs.c.job_type, func.count()).group_by(
        jobs.c.state, jobs.c.job_type
    )
    kinds = [Kind(JobState(row[0]), *row[1:]) for row in await connection.execute(counted)]
    return sorted(kinds, key=lambda each: (-each.number, each.job_type, each.state))
