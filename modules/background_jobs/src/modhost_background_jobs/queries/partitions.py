"""The parts in which jobs are read: each is a stretch of an index, and together they are all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, Table, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import FinishedJob, Job

JOBS: Final[Table] = Job.__table__  # type: ignore[attr-defined]
FINISHED: Final[Table] = FinishedJob.__table__  # type: ignore[attr-defined]

_OTHERS: Final = JOBS.alias("others")
FEW: Final = 2000

# As the index of what can be claimed has it: SQLite takes no other spelling for the same.
_CAN_BE_CLAIMED: Final[ColumnElement[bool]] = literal_column("NOT on_hold")


@dataclass(frozen=True, slots=True)
class Part:
    """The jobs of a table that fulfil some conditions."""

    table: Table
    conditions: Sequence[ColumnElement[bool]] = ()

    def narrowed(self, *more: ColumnElement[bool]) -> "Part":
        """Return those of them that fulfil more conditions."""
        return Part(self.table, [*self.conditions, *more])

    def ids(self) -> Select[Any]:
        """Select the ids."""
        return select(self.table.c.id).where(*self.conditions)

    def order(self, *, ascending: bool) -> ColumnElement[Any]:
        """Return the order of the ids, which is that of their creation, or the reverse."""
        return self.table.c.id.asc() if ascending else self.table.c.id.desc()


async def find_parts(
    connection: AsyncConnection, state: JobState | None, job_type: str | None
) -> list[Part]:
    """Return the parts of the jobs in a state and of a type, or in any and of any.

    Of the pending jobs of a type an index by their due times is all that there is. Where they are
    few it finds them; where they are many, going through all jobs finds some soon.
    """
    if job_type is None:
        return parts_of(state)
    states = list(JobState) if state is None else [state]
    parts = [part for each in states for part in _of_type(each, job_type)]
    if JobState.PENDING in states:
        (claimable, _) = pending = _pending(*_typed(JOBS, job_type))
        some = claimable.ids().limit(FEW + 1).subquery()
        count = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
        is_few = count <= FEW
        parts += pending if is_few else [_in_state(JobState.PENDING, *_typed(JOBS, job_type))]
    return parts


def parts_of(state: JobState | None) -> list[Part]:
    """Return the parts of the jobs in a state, or in any."""
    if state is None:
        return [Part(JOBS), Part(FINISHED)]
    if state is JobState.RUNNING:
        return [running()]
    return [_in_state(state)]


def parts_to_count(state: JobState | None, job_type: str | None) -> list[Part]:
    """Return the parts of the same jobs, by the indexes that count them without their rows."""
    if job_type is None:
        return parts_of(state)
    states = list(JobState) if state is None else [state]
    parts = [part for each in states for part in _of_type(each, job_type)]
    return parts + _pending(*_typed(JOBS, job_type)) if JobState.PENDING in states else parts


def table_of(state: JobState) -> Table:
    """Return the table that holds jobs in a state."""
    return FINISHED if state.is_final else JOBS


def in_state(table: FromClause, state: JobState) -> ColumnElement[bool]:
    """Return the condition, written out so that partial indexes of a state are found."""
    return table.c.state == literal_column(f"'{state.value}'")


def _of_type(state: JobState, job_type: str) -> list[Part]:
    """Return the parts of the jobs that are not pending: those lie together in an index."""
    typed = _typed(table_of(state), job_type)
    if state is JobState.PENDING:
        return []
    return [running(*typed) if state is JobState.RUNNING else _in_state(state, *typed)]


def _in_state(state: JobState, *more: ColumnElement[bool]) -> Part:
    table = table_of(state)
    return Part(table, [in_state(table, state), *more])


def _typed(table: Table, job_type: str | None) -> list[ColumnElement[bool]]:
    return [] if job_type is None else [table.c.job_type == job_type]


def _pending(*typed: ColumnElement[bool]) -> list[Part]:
    """Return those that can be claimed, and those that wait for a run of their schedule."""
    claimable = (in_state(JOBS, JobState.PENDING), _CAN_BE_CLAIMED)
    return [Part(JOBS, [*claimable, *typed]), on_hold(*typed)]


def on_hold(*typed: ColumnElement[bool]) -> Part:
    """Return those that wait for a run of their schedule before them."""
    return _among((_OTHERS.c.recurring_job_id.is_not(None), _OTHERS.c.on_hold), typed)


def running(*typed: ColumnElement[bool]) -> Part:
    """Return those that run."""
    return _among([in_state(_OTHERS, JobState.RUNNING)], typed)


def _among(few: Iterable[ColumnElement[bool]], more: Iterable[ColumnElement[bool]]) -> Part:
    # Those few are found first, or SQLite would look for them among all that are pending.
    return Part(JOBS, [JOBS.c.id.in_(select(_OTHERS.c.id).where(*few)), *more])
