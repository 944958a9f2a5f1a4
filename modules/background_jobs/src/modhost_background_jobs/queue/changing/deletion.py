"""Deleting finished jobs before retention does."""

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobConflict
from modhost_background_jobs.queue.changing.locked_jobs import FinishedRow, lock_finished
from modhost_background_jobs.storage.deadlocks import repeated_after_deadlock
from modhost_background_jobs.storage.tables import (
    ATTEMPTS,
    CONDITIONS,
    DEPENDENCIES,
    FINISHED,
    JOB_TAGS,
    JOB_WORDS,
    JOBS,
    LARGE_DATA,
    LOGS,
    STEPS,
    WORKFLOWS,
)

_OF_JOB: Final = (
    LOGS,
    ATTEMPTS,
    LARGE_DATA,
    CONDITIONS,
    DEPENDENCIES,
    STEPS,
    JOB_TAGS,
    JOB_WORDS,
)


class JobDeletion:
    """Deletes finished jobs with all that is kept of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @repeated_after_deadlock
    async def delete(self, job_id: UUID) -> FinishedRow:
        """Delete a finished job with its log, attempts, steps and data; return what it was.

        Raises `JobNotFound`, and `JobConflict` for a live job and one that others still need.
        """
        async with self._database.session() as session:
            connection = await session.connection()
            job = await lock_finished(connection, job_id, "deleted")
            if reason := await _why_needed(connection, job_id, job.workflow_id):
                raise JobConflict(job_id, job.state, "deleted", reason=reason)
            for table in _OF_JOB:
                await connection.execute(delete(table).where(table.c.job_id == job_id))
            await connection.execute(delete(FINISHED).where(FINISHED.c.id == job_id))
        return job


async def _why_needed(
    connection: AsyncConnection, job_id: UUID, workflow_id: UUID | None
) -> str | None:
    """Return why a finished job has to stay."""
    is_open = select(WORKFLOWS.c.id).where(
        WORKFLOWS.c.id == workflow_id, WORKFLOWS.c.outcome.is_(None)
    )
    if (await connection.execute(is_open)).first():
        return f"while its workflow {workflow_id} is unfinished: let that finish, or cancel it"
    after = (
        select(JOBS.c.id)
        .join(DEPENDENCIES, DEPENDENCIES.c.job_id == JOBS.c.id)
        .where(DEPENDENCIES.c.after_id == job_id)
        .limit(1)
    )
    if (needing := (await connection.execute(after)).scalar_one_or_none()) is not None:
        return f"while the job {needing} after it is unfinished: let that finish, or cancel it"
    return None
