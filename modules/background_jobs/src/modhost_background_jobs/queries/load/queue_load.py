"""The load of the queue: pending types, running jobs, workers, each by index lookups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model import DepartedRow, JobRow, WorkerRow
from modhost_background_jobs.model.pauses import PauseRow
from modhost_background_jobs.queries.flow.backlog import lanes_by_queue
from modhost_background_jobs.queries.load.workers import (
    RUNNING_COUNT,
    Departures,
    count_departures,
    read_departed,
    read_workers,
)
from modhost_background_jobs.queries.partitions import (
    Partition,
    claimable,
    in_lanes,
    in_state,
    on_hold,
    running,
    values_of,
    waiting,
)
from modhost_background_jobs.queries.rows import fetch_rows, select_rows
from modhost_background_jobs.storage.tables import JOBS, PAUSES, WORKERS

MAX_COUNTED: Final = 10_000
MAX_RUNNING: Final = 1_000

_IS_RUNNING: Final = in_state(JOBS, JobState.RUNNING)
# In no order: an order might be found by a scan of all pending jobs.
_RUNNING: Final = select_rows(JOBS).where(_IS_RUNNING).limit(MAX_RUNNING)
_PAUSES: Final = select(PAUSES).order_by(PAUSES.c.kind, PAUSES.c.name)


def _pending_by_type(partition: Callable[..., Partition]) -> Select[Any]:
    """Select the types with jobs of a partition, and the due time of the first job of each."""
    types = values_of("job_type", partition(), partition.__name__)
    oldest = (
        partition(JOBS.c.job_type == types.c.job_type)
        .select(JOBS.c.execute_at)
        .order_by(JOBS.c.execute_at)
        .limit(literal_column("1"))
        .correlate(types)
    )
    queue = literal(DEFAULT_QUEUE).label("queue")
    found = select(types.c.job_type, queue, oldest.scalar_subquery().label("oldest_at"))
    return found.where(types.c.job_type.is_not(None))


def _pending_by_lane() -> Select[Any]:
    """Select the same of the jobs with a lane, of each type once for each queue."""
    lanes = lanes_by_queue("pending_lanes")
    of_lane = (JOBS.c.job_type == lanes.c.job_type, JOBS.c.queue == lanes.c.queue)
    oldest = in_lanes(*of_lane).select(func.min(JOBS.c.execute_at)).correlate(lanes)
    found = select(lanes.c.job_type, lanes.c.queue, oldest.scalar_subquery().label("oldest_at"))
    return found.where(lanes.c.queue.is_not(None))


_BOTH: Final = union_all(_pending_by_type(claimable), _pending_by_lane()).subquery()
_KEY: Final = (_BOTH.c.job_type, _BOTH.c.queue)
_PENDING: Final = (
    select(*_KEY, func.min(_BOTH.c.oldest_at, type_=JOBS.c.execute_at.type))
    .group_by(*_KEY)
    .order_by(*_KEY)
)


@dataclass(frozen=True, slots=True)
class PendingJobs:
    """The pending jobs of a type in a queue, with the due time of the first of them."""

    job_type: str
    queue: str
    oldest_at: datetime

    def partitions(self, *more: ColumnElement[bool]) -> list[Partition]:
        """Return where they are: each is a range of an index in the order of their due times."""
        of_type = JOBS.c.job_type == self.job_type
        in_lane = in_lanes(of_type, JOBS.c.queue == self.queue, *more)
        return [in_lane, claimable(of_type, *more)] if self.queue == DEFAULT_QUEUE else [in_lane]


@dataclass(frozen=True, slots=True)
class Load:
    """The load at one moment; all running jobs are counted, and up to `MAX_RUNNING` listed."""

    workers: list[WorkerRow]
    pending: list[PendingJobs]
    pauses: list[PauseRow]
    running: list[JobRow]
    running_count: int


class QueueLoad:
    """Reads the load of the queue; pending jobs are counted up to `max_counted`."""

    def __init__(self, database: Database, *, max_counted: int = MAX_COUNTED) -> None:
        self._database = database
        self._max_counted = max_counted

    async def read(self) -> Load:
        """Return the workers by name, what is pending, paused and running."""
        async with self._database.reading() as session:
            connection = await session.connection()
            rows = await fetch_rows(connection, _RUNNING)
            is_all = len(rows) < MAX_RUNNING
            return Load(
                workers=await read_workers(connection),
                pending=await pending_jobs(connection),
                pauses=[PauseRow(**row) for row in (await connection.execute(_PAUSES)).mappings()],
                running=rows,
                running_count=len(rows) if is_all else await _count(connection, RUNNING_COUNT),
            )

    async def workers(self) -> list[WorkerRow]:
        """Return the registered workers by name."""
        async with self._database.reading() as session:
            return await read_workers(await session.connection())

    async def worker(self, name: str) -> list[WorkerRow]:
        """Return the registered worker of a name, if there is one."""
        async with self._database.reading() as session:
            return await read_workers(await session.connection(), WORKERS.c.name == name)

    async def departed(self, limit: int) -> list[DepartedRow]:
        """Return the workers that left, the last one first, at most so many."""
        async with self._database.reading() as session:
            return await read_departed(await session.connection(), limit)

    async def departures(self, last: int = 0) -> Departures:
        """Return how many workers left in each way, and so many of the last."""
        async with self._database.reading() as session:
            connection = await session.connection()
            rows = await read_departed(connection, last) if last else []
            return Departures(await count_departures(connection), rows)

    async def pending_count(self) -> tuple[int, bool]:
        """Return how many jobs are pending, up to a bound, and whether there are more."""
        # No index has them all, but one the others each: what runs, and what waits for other jobs.
        others = _count_of(union_all(*(each().ids() for each in (running, on_hold, waiting))))
        live = _count_of(Partition(JOBS).ids().limit(others + (self._max_counted + 1)))
        async with self._database.reading() as session:
            found = await _count(await session.connection(), select(live - others))
        return max(0, min(found, self._max_counted)), found > self._max_counted

    async def pending_types(self) -> set[str]:
        """Return the types that have pending jobs."""
        async with self._database.reading() as session:
            return {each.job_type for each in await pending_jobs(await session.connection())}

    async def counts(
        self, groups: Sequence[Sequence[PendingJobs]], due_by: datetime | None = None
    ) -> list[int]:
        """Return how many jobs each group has, those of a type in a queue up to the bound.

        With `due_by` those alone that are due at that time.
        """
        is_due = [] if due_by is None else [JOBS.c.execute_at <= due_by]
        counting = [
            select(
                literal(number), _count_of(jobs.narrowed(*is_due).ids().limit(self._max_counted))
            )
            for number, group in enumerate(groups)
            for each in group
            for jobs in each.partitions()
        ]
        found = [0] * len(groups)
        if counting:
            async with self._database.reading() as session:
                connection = await session.connection()
                for number, count in await connection.execute(union_all(*counting)):
                    found[number] += count
        return found


def _count_of(ids: Select[Any] | CompoundSelect[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(ids.subquery()).scalar_subquery()


async def _count(connection: AsyncConnection, counting: Select[Any]) -> int:
    return int((await connection.execute(counting)).scalar_one())


async def pending_jobs(connection: AsyncConnection) -> list[PendingJobs]:
    """Return the types and queues of the pending jobs that wait for nothing but their time."""
    return [PendingJobs(*row) for row in await connection.execute(_PENDING)]
