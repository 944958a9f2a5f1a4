"""What waits and what runs, by queue and type: counted by indexes alone, up to a bound."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import UtcDateTime
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model.flow import limits_of
from modhost_background_jobs.queries.partitions import (
    Partition,
    claimable,
    in_lanes,
    in_state,
    on_hold,
    values_of,
    waiting,
)
from modhost_background_jobs.storage.tables import JOBS

MAX_COUNTED: Final = 10_000
"""Up to so many jobs of a queue and type are counted, of those that are due and of the others."""
_NOW: Final = bindparam("now", type_=UtcDateTime())
_RUNNING: Final = in_state(JOBS, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The pending jobs of a type in a queue; `later` are those that are not due yet."""

    queue: str
    job_type: str
    due: int
    later: int
    oldest_due_at: datetime | None = None

    @property
    def is_capped(self) -> bool:
        """Whether there may be more."""
        return max(self.due, self.later) >= MAX_COUNTED


@dataclass(frozen=True, slots=True)
class RunningJobs:
    """How many jobs run: of each queue and type, and of each limit."""

    by_queue_and_type: dict[tuple[str, str], int]
    by_limit: dict[str, int]


def lanes_by_queue(name: str = "lanes") -> CTE:
    """Select the types and queues of pending jobs with a lane, by jumps from pair to pair.

    Where the type or the queue is NULL there is no such pair.
    """
    types = values_of("job_type", in_lanes(), f"{name}_types")
    queues = in_lanes().select(func.min(JOBS.c.queue))
    first = queues.where(JOBS.c.job_type == types.c.job_type).correlate(types)
    pairs = select(types.c.job_type, first.scalar_subquery().label("queue")).cte(
        name, recursive=True
    )
    is_next = (JOBS.c.job_type == pairs.c.job_type, JOBS.c.queue > pairs.c.queue)
    following = queues.where(*is_next).correlate(pairs).scalar_subquery()
    return pairs.union_all(select(pairs.c.job_type, following).where(pairs.c.queue.is_not(None)))


async def backlogs(connection: AsyncConnection, now: datetime) -> list[Backlog]:
    """Return the backlog of each queue and type that has one."""
    counted = await connection.execute(_BACKLOGS, {"now": now})
    found = [Backlog(*row) for row in counted]
    # What waits for other jobs is not due.
    return found + [Backlog(*row) for row in await connection.execute(_ON_HOLD)]


async def running_jobs(connection: AsyncConnection) -> RunningJobs:
    """Count the running jobs, which are as many as the workers have slots, and those claimed."""
    found = RunningJobs({}, {})
    for queue, job_type, limits, count in await connection.execute(_RUNNING_COUNTS):
        key = (queue, job_type)
        found.by_queue_and_type[key] = found.by_queue_and_type.get(key, 0) + count
        for limit in {each.limit for each in limits_of(limits)}:
            found.by_limit[limit] = found.by_limit.get(limit, 0) + count
    return found


def _backlog(keys: CTE, queue: Any, jobs: Partition) -> Select[Any]:
    """Select the counts of some jobs for each of the keys."""
    due, later = JOBS.c.execute_at <= _NOW, JOBS.c.execute_at > _NOW
    oldest = jobs.narrowed(due).select(func.min(JOBS.c.execute_at)).correlate(keys)
    return select(
        queue.label("queue"),
        keys.c.job_type,
        _count(jobs.narrowed(due), keys).label("due"),
        _count(jobs.narrowed(later), keys).label("later"),
        oldest.scalar_subquery().label("oldest_due_at"),
    ).where(keys.c.job_type.is_not(None), queue.is_not(None))


def _count(jobs: Partition, keys: CTE) -> ScalarSelect[int]:
    some = jobs.ids().limit(literal_column(str(MAX_COUNTED))).correlate(keys).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _of_type(partition: Callable[..., Partition], keys: CTE) -> Partition:
    return partition(JOBS.c.job_type == keys.c.job_type)


_TYPES: Final = values_of("job_type", claimable(), "plain_types")
_LANES: Final = lanes_by_queue()
_WAITING_IN_LANES: Final = _of_type(in_lanes, _LANES).narrowed(JOBS.c.queue == _LANES.c.queue)
_DEFAULT: Final = literal(DEFAULT_QUEUE)
_BACKLOGS: Final = union_all(
    _backlog(_TYPES, _DEFAULT, _of_type(claimable, _TYPES)),
    _backlog(_LANES, _LANES.c.queue, _WAITING_IN_LANES),
)
_SOME_ON_HOLD: Final = union_all(
    on_hold().select(JOBS.c.queue, JOBS.c.job_type),
    select(waiting().select(JOBS.c.queue, JOBS.c.job_type).limit(MAX_COUNTED).subquery()),
).subquery()
_ON_HOLD: Final = select(
    _SOME_ON_HOLD.c.queue, _SOME_ON_HOLD.c.job_type, literal(0), func.count()
).group_by(_SOME_ON_HOLD.c.queue, _SOME_ON_HOLD.c.job_type)
_RUNNING_COUNTS: Final = (
    select(JOBS.c.queue, JOBS.c.job_type, JOBS.c.limits, func.count())
    .where(_RUNNING)
    .group_by(JOBS.c.queue, JOBS.c.job_type, JOBS.c.limits)
)
