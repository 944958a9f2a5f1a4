"""Jobs of several queues, priorities, tags and states, without a worker that ran them."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import update

from background_jobs.support import new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Flow, NewJob
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage.tables import FINISHED, JOBS


def job_with(flow: Flow, *, job_type: str = "tests.Job", due: float = 0) -> NewJob:
    return replace(new_job(job_type=job_type, due=due), flow=flow)


async def enqueue(database: Database, queue: DatabaseJobQueue, jobs: Sequence[NewJob]) -> None:
    """Insert jobs, in the caller's order."""
    async with database.session() as session:
        await queue.enqueue(jobs, session)


async def move_to(
    database: Database,
    queue: DatabaseJobQueue,
    job_id: UUID,
    state: JobState,
    error: str | None = None,
) -> None:
    """Let a pending job be in a state, as if a worker had taken it there."""
    if state.is_final:
        await queue.cancel(job_id)
    table = FINISHED if state.is_final else JOBS
    async with database.session() as session:
        values = {"state": state.value, "error": error, "worker": "w1"}
        changed = update(table).where(table.c.id == job_id).values(values)
        await (await session.connection()).execute(changed)
