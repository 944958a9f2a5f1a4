"""Jobs that run where they are enqueued: at once, or at the commit of the session."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.queue.inserting import ENQUEUED
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.testing.held_worker import is_draining


@contextmanager
def inline(
    database: Database, queue: DatabaseJobQueue, drain: Callable[[], Awaitable[object]]
) -> Iterator[None]:
    """Drain the queue during the block whenever jobs were stored, before the caller continues."""
    enqueue, open_session = queue.enqueue, database.session

    async def run() -> None:
        # What jobs enqueue runs after them, in the drain that runs them.
        if not is_draining():
            await drain()

    async def enqueue_and_run(
        jobs: Sequence[NewJob], session: AsyncSession | None = None
    ) -> list[UUID]:
        ids = await enqueue(jobs, session)
        if session is None:
            await run()
        return ids

    @asynccontextmanager
    async def session_with_run() -> AsyncIterator[AsyncSession]:
        async with open_session() as session:
            yield session
        # Not within: the session of a SQLite database holds the lock that the worker needs.
        if ENQUEUED in session.info:
            await run()

    own_queue, own_database = vars(queue), vars(database)
    own_queue["enqueue"], own_database["session"] = enqueue_and_run, session_with_run
    try:
        yield
    finally:
        del own_queue["enqueue"], own_database["session"]
