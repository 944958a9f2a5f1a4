"""An attempt ends its job itself, in a transaction of its own."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import BackgroundJobsError, JobCancelled
from modhost_background_jobs.model import Ended, Lease
from modhost_background_jobs.storage import is_integrity_error
from modhost_background_jobs.storage.end_events import EndEvents
from modhost_background_jobs.storage.tables import FINISHED
from modhost_background_jobs.storage.workflows.session_ending import end_in_session
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.write_retry import until_written

TWICE: Final = (
    "The job has finished already: call finish_in once, as the last of what its transaction writes."
)


async def finish_in(
    attempt: Attempt, session: AsyncSession, ended: Ended, now: datetime, events: EndEvents
) -> None:
    """End the job of an attempt; see `JobExecutionContext.finish_in`."""
    if await end_in_session(session, [ended], now, events):
        return
    if await _has_ended(session, attempt.lease):
        raise RuntimeError(TWICE)
    attempt.stop(StopReason.LOST_LEASE)
    raise JobCancelled(StopReason.LOST_LEASE.value)


async def end_until_written(
    attempt: Attempt, database: Database, end: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    """End the job of an attempt in sessions of its own, until one of them is committed.

    Raises what the job is to blame for; nothing of it is stored then.
    """

    async def write() -> Exception | None:
        try:
            async with database.session() as session:
                # By the attempt itself, or by a commit whose answer was lost.
                if not await _has_ended(session, attempt.lease):
                    await end(session)
        except (BackgroundJobsError, JobCancelled) as error:
            return error
        except Exception as error:
            if not is_integrity_error(getattr(error, "orig", None) or error):
                raise
            return error
        return None

    error = await until_written(write, "the end of a job, with those that it adds")
    if error is not None:
        raise error


async def _has_ended(session: AsyncSession, lease: Lease) -> bool:
    """Return whether the job has ended under a lease."""
    is_this = FINISHED.c.id == lease.job_id, FINISHED.c.fence == lease.fence
    connection = await session.connection()
    return (await connection.execute(select(FINISHED.c.id).where(*is_this))).first() is not None
