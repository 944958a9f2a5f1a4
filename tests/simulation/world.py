"""A real database, driven step by step from synchronous code."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import delete, select

from background_jobs.support import jobs_database
from modhost.database import Database
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import GuardedClock, open_store, open_wakeups
from modhost_background_jobs.storage.retention import open_retention
from modhost_background_jobs.storage.tables import (
    ATTEMPTS,
    CONDITIONS,
    DEPENDENCIES,
    FINISHED,
    GRANTS,
    JOB_TAGS,
    JOBS,
    LIMIT_KEYS,
    LIMITS,
    LOGS,
    OCCURRENCES,
    PAUSES,
    SCHEDULES,
    STEPS,
    UNIQUE_PERIODS,
    WORKERS,
    WORKFLOWS,
)
from simulation.links.inline import InnerLoop, run_sqlite_inline

T = TypeVar("T")

_OF_JOBS: Final = (JOBS, FINISHED, ATTEMPTS, LOGS, STEPS, WORKERS, SCHEDULES, OCCURRENCES)
_OF_WORKFLOWS: Final = (WORKFLOWS, DEPENDENCIES, CONDITIONS)
_OF_FLOW: Final = (LIMITS, LIMIT_KEYS, GRANTS, PAUSES, JOB_TAGS, UNIQUE_PERIODS)


class World:
    """The queue over one database; `do` runs one of its coroutines to its end."""

    def __init__(self, loop: InnerLoop, database: Database, clock: GuardedClock) -> None:
        self._loop = loop
        self.database = database
        self.clock = clock
        self.store = open_store(database)
        self.deletion = open_retention(database)
        self.queue = DatabaseJobQueue(database, self.store, open_wakeups(database), clock)
        self.workflows = DatabaseWorkflows(database, self.queue, clock)
        self.schedules = RecurringSchedules(database, clock)
        self.firing = RecurringFiring(database, self.store, self.queue, clock)
        self.changes = ScheduleChanges(database, self.firing, clock)

    def do(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Run a coroutine to its end, while virtual time and all of its tasks stand still."""
        return self._loop.run(function, *arguments)

    def clear(self) -> None:
        """Empty the tables."""
        self.do(self._clear)

    def rows(self) -> dict[UUID, tuple[Any, ...]]:
        """Return all jobs, each from one of the two tables."""
        live, finished = self.do(self._rows)
        assert not live.keys() & finished.keys()
        return live | finished

    async def _clear(self) -> None:
        async with self.database.session() as session:
            connection = await session.connection()
            for table in (*_OF_JOBS, *_OF_WORKFLOWS, *_OF_FLOW):
                await connection.execute(delete(table))

    async def _rows(self) -> list[dict[UUID, tuple[Any, ...]]]:
        async with self.database.reading() as session:
            connection = await session.connection()
            found = []
            for table in (JOBS, FINISHED):
                names = ("id", "state", "fence", "attempt", "attempts_left", "rescues", "worker")
                rows = await connection.execute(select(*(table.c[name] for name in names)))
                found.append({row.id: _compared(row) for row in rows})
        return found


def _compared(row: Any) -> tuple[Any, ...]:
    worker = row.worker if row.state == "Running" else None
    return (row.state, row.fence, row.attempt, row.attempts_left, row.rescues, worker)


@contextmanager
def open_world(database_url: str, clock: GuardedClock) -> Iterator[World]:
    """Open a migrated database in an event loop of its own."""
    with run_sqlite_inline(), closing(InnerLoop()) as loop:
        database = jobs_database(database_url)
        with loop.entered(database.open()):
            yield World(loop, database, clock)
