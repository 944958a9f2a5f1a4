"""The jobs before and after one, of which each waits for the end of the other."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, literal_column, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.storage.tables import (
    CONDITIONS,
    DEPENDENCIES,
    FINISHED,
    JOBS,
    WORKFLOWS,
)

MAX_SHOWN: Final = 10
"""How many jobs after one are read; more of them are before it, where that is wanted."""
_MAX_UNFINISHED: Final = 3
_MAX_SEARCHED: Final = 1_000


class Neighbour(NamedTuple):
    """A job before or after another; its type is None when it is deleted."""

    id: UUID
    job_type: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """On which ends of how many jobs one waits; `unfinished` of them have not ended."""

    when: RunWhen
    total: int
    unfinished: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The first jobs before one and after it, and some of those that it still waits for."""

    before: Sequence[Neighbour] = ()
    after: Sequence[Neighbour] = ()
    unfinished: Sequence[Neighbour] = ()


ALONE: Final = Neighbours()


def condition_columns(job_id: ColumnElement[UUID]) -> list[ColumnElement[Any]]:
    """Return the columns of `condition_of`; the conditions are joined by `has_condition`."""
    of_job = DEPENDENCIES.c.job_id == job_id
    last = select(func.max(DEPENDENCIES.c.position)).where(of_job).scalar_subquery()
    return [CONDITIONS.c.run_when, CONDITIONS.c.unfinished, last.label("last_position")]


def name_of_workflow(workflow_id: ColumnElement[UUID]) -> ColumnElement[str]:
    """Return the name of a job's workflow as a column."""
    named = select(WORKFLOWS.c.name).where(WORKFLOWS.c.id == workflow_id)
    return named.scalar_subquery().label("workflow_name")


def condition_of(found: Any) -> Condition | None:
    """Return the condition of a job whose row has the columns, if it has one."""
    if found["run_when"] is None:
        return None
    return Condition(found["run_when"], (found["last_position"] or 0) + 1, found["unfinished"])


def neighbours_of(job_id: Any, before: int) -> list[Select[Any]]:
    """Select jobs before and after one, as `kind`, `position`, `job_id` and `job_type`."""
    of_job = DEPENDENCIES.c.job_id == job_id
    first = select(DEPENDENCIES.c.position, DEPENDENCIES.c.after_id.label("id")).where(
        of_job, DEPENDENCIES.c.position < before
    )
    after = select(literal_column("0").label("position"), DEPENDENCIES.c.job_id.label("id"))
    after = after.where(DEPENDENCIES.c.after_id == job_id).limit(MAX_SHOWN + 1)
    return [_with_type("before", first), _with_type("after", after)]


def _with_type(kind: str, ids: Select[Any]) -> Select[Any]:
    found = ids.subquery()
    types = [
        select(table.c.job_type).where(table.c.id == found.c.id).scalar_subquery()
        for table in (JOBS, FINISHED)
    ]
    job_type = func.coalesce(*types).label("job_type")
    columns = literal(kind).label("kind"), found.c.position, found.c.id.label("job_id"), job_type
    return select(*columns)


def neighbours_among(before: Iterable[Any], after: Iterable[Any]) -> Neighbours:
    """Return the neighbours of records, whose `worker` is the type."""
    of_both = [[Neighbour(each.job_id, each.worker) for each in some] for some in (before, after)]
    return Neighbours(of_both[0], sorted(of_both[1]))


async def unfinished_before(
    connection: AsyncConnection, job_ids: Collection[UUID]
) -> dict[UUID, list[Neighbour]]:
    """Return a few jobs that each job still waits for, of the first and the last before it."""
    found: dict[UUID, list[Neighbour]] = {id_: [] for id_ in job_ids}
    if not found:
        return found
    parts = [_unfinished(id_) for id_ in job_ids]
    for row in await connection.execute(union_all(*parts)):
        found[row.waiting].append(Neighbour(row.id, row.job_type))
    return found


def _unfinished(job_id: UUID) -> Select[Any]:
    of_job = DEPENDENCIES.c.job_id == job_id
    last = select(func.max(DEPENDENCIES.c.position) - _MAX_SEARCHED).where(of_job)
    near = or_(
        DEPENDENCIES.c.position < _MAX_SEARCHED, DEPENDENCIES.c.position > last.scalar_subquery()
    )
    some = select(DEPENDENCIES.c.job_id.label("waiting"), JOBS.c.id, JOBS.c.job_type)
    joined = some.join(JOBS, JOBS.c.id == DEPENDENCIES.c.after_id).where(of_job, near)
    ordered = joined.order_by(DEPENDENCIES.c.position).limit(_MAX_UNFINISHED)
    return select(ordered.subquery())
