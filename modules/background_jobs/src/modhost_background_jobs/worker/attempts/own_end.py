"""An attempt ends its job itself, in a transaction of its own."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import JobCancelled, JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.tables import FINISHED
from modhost_background_jobs.storage.workflows.session_ending import end_in_session
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason

TWICE: Final = (
    "The job has finished already: call finish_in once, as the last of what its transaction writes."
)


async def finish_in(
    attempt: Attempt, session: AsyncSession, result: str | None, now: datetime
) -> None:
    """End the job of an attempt as completed; see `JobExecutionContext.finish_in`.

    `result` is what it returns, as it is stored.
    """
    if await end_in_session(session, Ended(attempt.lease, JobState.COMPLETED, None, result), now):
        return
    is_this = FINISHED.c.id == attempt.lease.job_id, FINISHED.c.fence == attempt.lease.fence
    connection = await session.connection()
    if (await connection.execute(select(FINISHED.c.id).where(*is_this))).first():
        raise RuntimeError(TWICE)
    attempt.stop(StopReason.LOST_LEASE)
    raise JobCancelled(StopReason.LOST_LEASE.value)
