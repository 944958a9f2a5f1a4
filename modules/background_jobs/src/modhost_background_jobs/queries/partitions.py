"""The partitions in which jobs are read: each is a range of one index, together they are all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Table,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import FINISHED, JOBS

_OTHERS: Final = JOBS.alias("others")
FEW: Final = 2000

# In the words of the index of claimable jobs: SQLite accepts no other spelling of the same.
_CLAIMABLE: Final[ColumnElement[bool]] = literal_column("NOT on_hold AND lane IS NULL")
_IN_LANE: Final[ColumnElement[bool]] = literal_column("lane IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Partition:
    """The jobs of a table that fulfil some conditions."""

    table: Table
    conditions: Sequence[ColumnElement[bool]] = ()

    def narrowed(self, *more: ColumnElement[bool]) -> "Partition":
        """Return the jobs among them that fulfil more conditions."""
        return Partition(self.table, [*self.conditions, *more])

    def ids(self) -> Select[Any]:
        """Select the ids."""
        return self.select(self.table.c.id)

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select columns of the jobs."""
        return select(*columns).where(*self.conditions)

    def order(self, *, ascending: bool) -> ColumnElement[Any]:
        """Return the order of the ids, which is that of their creation, or the reverse."""
        return self.table.c.id.asc() if ascending else self.table.c.id.desc()


async def find_partitions(
    connection: AsyncConnection, state: JobState | None, job_type: str | None
) -> list[Partition]:
    """Return the partitions of the jobs in a state and of a type, or in any and of any.

    Pending jobs of one type have only an index by their due times. Where they are few it finds
    them; where they are many, a scan of all jobs soon finds some.
    """
    if job_type is None or state not in (None, JobState.PENDING):
        return partitions_of(state, job_type)
    of_type = JOBS.c.job_type == job_type
    both = (claimable(of_type), in_lanes(of_type))
    some = union_all(*(select(each.ids().limit(FEW + 1).subquery()) for each in both)).subquery()
    count = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
    if count <= FEW:
        return partitions_of(state, job_type)
    others = [] if state is JobState.PENDING else _not_pending(state, of_type=job_type)
    return [*others, Partition(JOBS, [in_state(JOBS, JobState.PENDING), of_type])]


def partitions_of(state: JobState | None, job_type: str | None = None) -> list[Partition]:
    """Return the same partitions, by indexes alone: they count the jobs without reading them."""
    if job_type is not None:
        pending = JOBS.c.job_type == job_type
        others = _not_pending(state, of_type=job_type)
        if state not in (None, JobState.PENDING):
            return others
        return [*others, claimable(pending), in_lanes(pending), on_hold(pending)]
    if state is None:
        return [Partition(JOBS), Partition(FINISHED)]
    if state is JobState.PENDING:
        return [Partition(JOBS, [in_state(JOBS, state)])]
    return _not_pending(state)


def in_state(table: FromClause, state: JobState) -> ColumnElement[bool]:
    """Return the condition, written out so that partial indexes of a state are found."""
    return table.c.state == literal_column(f"'{state.value}'")


def on_hold(*more: ColumnElement[bool]) -> Partition:
    """Return the runs without a lane that wait for an earlier run of their schedule."""
    waiting = (_OTHERS.c.recurring_job_id.is_not(None), _OTHERS.c.on_hold, _OTHERS.c.lane.is_(None))
    return _among(waiting, more)


def running(*more: ColumnElement[bool]) -> Partition:
    """Return the running jobs."""
    return _among([in_state(_OTHERS, JobState.RUNNING)], more)


def claimable(*more: ColumnElement[bool]) -> Partition:
    """Return the pending jobs without a lane that wait for no earlier run of their schedule."""
    return Partition(JOBS, [in_state(JOBS, JobState.PENDING), _CLAIMABLE, *more])


def in_lanes(*more: ColumnElement[bool]) -> Partition:
    """Return the pending jobs of lanes."""
    return Partition(JOBS, [in_state(JOBS, JobState.PENDING), _IN_LANE, *more])


def types_of(partition: Partition, name: str = "types") -> CTE:
    """Select the types of the jobs, and NULL as the last, by jumps from type to type in an index.

    However many jobs each type has, none but the first is read.
    """
    job_type = partition.table.c.job_type
    smallest = partition.select(func.min(job_type).label("job_type"))
    types = smallest.cte(name, recursive=True)
    following = smallest.where(job_type > types.c.job_type).correlate(types).scalar_subquery()
    return types.union_all(select(following).where(types.c.job_type.is_not(None)))


def _not_pending(state: JobState | None, of_type: str | None = None) -> list[Partition]:
    states = [each for each in JobState if state in (None, each) and each is not JobState.PENDING]
    partitions = []
    for each in states:
        table = FINISHED if each.is_final else JOBS
        more = [] if of_type is None else [table.c.job_type == of_type]
        is_running = each is JobState.RUNNING
        found = running(*more) if is_running else Partition(table, [in_state(table, each), *more])
        partitions.append(found)
    return partitions


def _among(few: Iterable[ColumnElement[bool]], more: Iterable[ColumnElement[bool]]) -> Partition:
    # The few are found first, or SQLite would scan all pending jobs for them.
    return Partition(JOBS, [JOBS.c.id.in_(select(_OTHERS.c.id).where(*few)), *more])
