"""The partitions in which jobs are read: each is a range of one index, together they are all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.queries.selection import Check, Selection
from modhost_background_jobs.storage.tables import FINISHED, IS_WAITING, JOB_TAGS, JOB_WORDS, JOBS

_OTHERS: Final = JOBS.alias("others")
FEW: Final = 2000

# In the words of the partial indexes: SQLite accepts no other spelling of the same.
_CLAIMABLE: Final[ColumnElement[bool]] = literal_column("NOT on_hold AND lane IS NULL")
_IN_LANE: Final[ColumnElement[bool]] = literal_column("NOT on_hold AND lane IS NOT NULL")
_IS_WAITING: Final[ColumnElement[bool]] = literal_column(IS_WAITING)
_HAS_QUEUE: Final[ColumnElement[bool]] = literal_column(f"queue <> '{DEFAULT_QUEUE}'")


@dataclass(frozen=True, slots=True)
class Partition:
    """The jobs of a table that fulfil some conditions.

    `checks` are those that no index answers: they are checked of some jobs at a time.
    """

    table: FromClause
    conditions: Sequence[ColumnElement[bool]] = ()
    checks: Sequence[Check] = ()

    @property
    def is_of_others(self) -> bool:
        """Whether it is a table that jobs are found by, and not one of jobs."""
        return self.table in (JOB_TAGS, JOB_WORDS)

    @property
    def id(self) -> ColumnElement[Any]:
        """The column of the ids."""
        return self.table.c.job_id if self.is_of_others else self.table.c.id

    def narrowed(self, *more: ColumnElement[bool]) -> "Partition":
        """Return the jobs among them that fulfil more conditions."""
        return replace(self, conditions=[*self.conditions, *more])

    def checked(self, *more: Check) -> "Partition":
        """Return the jobs among them of which more is true."""
        return replace(self, checks=[*self.checks, *more])

    def ids(self) -> Select[Any]:
        """Select the ids."""
        return self.select(self.id.label("id"))

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select columns of the jobs."""
        return select(*columns).where(*self.conditions)

    def order(self, *, ascending: bool) -> ColumnElement[Any]:
        """Return the order of the ids, which is that of their creation, or the reverse."""
        return self.id.asc() if ascending else self.id.desc()


async def find_partitions(connection: AsyncConnection, selection: Selection) -> list[Partition]:
    """Return the partitions of the selected jobs.

    Pending jobs of one type have only an index by their due times. Where they are few it finds
    them; where they are many, a scan of all jobs soon finds some.
    """
    job_type = selection.job_type
    if job_type is None or selection.tag is not None or not selection.has(JobState.PENDING):
        return partitions_of(selection)
    of_type = JOBS.c.job_type == job_type
    both = (claimable(of_type), in_lanes(of_type))
    some = union_all(*(select(each.ids().limit(FEW + 1).subquery()) for each in both)).subquery()
    count = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
    if count <= FEW:
        return partitions_of(selection)
    pending = Partition(JOBS, [in_state(JOBS, JobState.PENDING), of_type])
    both_kinds = [*_not_pending(selection, of_type=job_type), pending]
    return [each.checked(*selection.checks("queue")) for each in both_kinds]


def partitions_of(selection: Selection) -> list[Partition]:
    """Return the same partitions, by indexes alone: they count the jobs without reading them.

    Those with checks are an exception. By tag, or by type, the rest is checked; and the queue is
    where it is the default one, which has no index, since nearly all jobs may be in it.
    """
    if selection.tag is not None:
        checks = selection.checks("states", "job_type", "queue")
        return [tagged(selection.tag, *checks)]
    if selection.job_type is not None:
        of_type = JOBS.c.job_type == selection.job_type
        partitions = _not_pending(selection, of_type=selection.job_type)
        if selection.has(JobState.PENDING):
            partitions += [each(of_type) for each in (claimable, in_lanes, on_hold, waiting)]
    elif selection.queue not in (None, DEFAULT_QUEUE):
        return _of_states(selection, selection.queue)
    else:
        partitions = _of_states(selection)
    return [each.checked(*selection.checks("queue")) for each in partitions]


def running_besides(selection: Selection) -> Partition | None:
    """Return the few running jobs beside the pending ones that are selected; None for others.

    No index has all pending jobs, or all of a queue: they are counted together with these.
    """
    is_by_index = selection.job_type is not None or selection.tag is not None
    is_checked = selection.queue == DEFAULT_QUEUE
    if is_by_index or is_checked or JobState.PENDING not in selection.states:
        return None
    of_queue = () if selection.queue is None else in_queue(JOBS, selection.queue)
    return None if selection.has(JobState.RUNNING) else running(*of_queue)


def tagged(tag: str, *checks: Check) -> Partition:
    """Return the jobs with a tag, live and finished."""
    return Partition(JOB_TAGS, [JOB_TAGS.c.tag == tag], checks)


def worded(word: str, *checks: Check) -> Partition:
    """Return the jobs with a word in their summary, live and finished."""
    return Partition(JOB_WORDS, [JOB_WORDS.c.word == word], checks)


def in_state(table: FromClause, state: JobState) -> ColumnElement[bool]:
    """Return the condition, written out so that partial indexes of a state are found."""
    return table.c.state == literal_column(f"'{state.value}'")


def in_queue(table: FromClause, queue: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions by which a queue is found that is not the default one."""
    return table.c.queue == queue, _HAS_QUEUE


def on_hold(*more: ColumnElement[bool]) -> Partition:
    """Return the runs that wait for an earlier run of their schedule."""
    return _among((_OTHERS.c.recurring_job_id.is_not(None), _OTHERS.c.on_hold), more)


def waiting(*more: ColumnElement[bool]) -> Partition:
    """Return the jobs that wait for the ends of others."""
    return Partition(JOBS, [_IS_WAITING, *more])


def running(*more: ColumnElement[bool]) -> Partition:
    """Return the running jobs."""
    return _among([in_state(_OTHERS, JobState.RUNNING)], more)


def claimable(*more: ColumnElement[bool]) -> Partition:
    """Return the pending jobs without a lane that wait for no other job."""
    return Partition(JOBS, [in_state(JOBS, JobState.PENDING), _CLAIMABLE, *more])


def in_lanes(*more: ColumnElement[bool]) -> Partition:
    """Return the pending jobs of lanes that wait for no other job."""
    return Partition(JOBS, [in_state(JOBS, JobState.PENDING), _IN_LANE, *more])


def in_queues(table: FromClause) -> Partition:
    """Return the jobs of all queues but the default one."""
    return Partition(table, [_HAS_QUEUE])


def values_of(column: str, partition: Partition, name: str = "known") -> CTE:
    """Select the values of a column, and NULL as the last, by jumps from one to the next.

    It is the first column of an index: however many jobs have a value, none but one is read.
    """
    value = partition.table.c[column]
    smallest = partition.select(func.min(value).label(column))
    known = smallest.cte(name, recursive=True)
    following = smallest.where(value > known.c[column]).correlate(known).scalar_subquery()
    return known.union_all(select(following).where(known.c[column].is_not(None)))


def _of_states(selection: Selection, queue: str | None = None) -> list[Partition]:
    of_live = () if queue is None else in_queue(JOBS, queue)
    partitions = []
    if selection.has(JobState.PENDING):
        is_all = selection.has(JobState.RUNNING)
        pending = () if is_all else (in_state(JOBS, JobState.PENDING),)
        partitions = [Partition(JOBS, [*of_live, *pending])]
    elif selection.has(JobState.RUNNING):
        partitions = [running(*of_live)]
    of_finished = () if queue is None else in_queue(FINISHED, queue)
    if not selection.states and queue is None:
        return [*partitions, Partition(FINISHED)]
    return [*partitions, *_finished(selection, *of_finished)]


def _not_pending(selection: Selection, of_type: str) -> list[Partition]:
    found = _finished(selection, FINISHED.c.job_type == of_type)
    if selection.has(JobState.RUNNING):
        found.append(running(JOBS.c.job_type == of_type))
    return found


def _finished(selection: Selection, *more: ColumnElement[bool]) -> list[Partition]:
    states = [each for each in JobState if each.is_final and selection.has(each)]
    return [Partition(FINISHED, [in_state(FINISHED, state), *more]) for state in states]


def _among(few: Iterable[ColumnElement[bool]], more: Iterable[ColumnElement[bool]]) -> Partition:
    # The few are found first, or SQLite would scan all pending jobs for them.
    return Partition(JOBS, [JOBS.c.id.in_(select(_OTHERS.c.id).where(*few)), *more])
