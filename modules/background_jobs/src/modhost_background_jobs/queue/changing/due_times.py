"""Moving when pending jobs are due: to now, or to another time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, null, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobConflict, JobState
from modhost_background_jobs.queue.changing.locked_jobs import LiveJob, lock_live
from modhost_background_jobs.queue.inserting import wake_after_commit
from modhost_background_jobs.storage import QueueClock, Wakeups
from modhost_background_jobs.storage.deadlocks import repeated_after_deadlock
from modhost_background_jobs.storage.tables import JOBS

_ALLOWED = "a pending job"


class DueTimes:
    """Changes when pending jobs are due, unless a worker has claimed them meanwhile."""

    def __init__(self, database: Database, wakeups: Wakeups, clock: QueueClock) -> None:
        self._database = database
        self._wakeups = wakeups
        self._clock = clock

    @repeated_after_deadlock
    async def run_now(self, job_id: UUID) -> None:
        """Make a pending job due now; one that is due keeps its place among the others.

        Raises `JobNotFound`, and `JobConflict` for a job that is not pending or waits for others.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            job = await _lock_pending(connection, job_id, "run now")
            if job.on_hold:
                why = "while it waits for other jobs: let those finish first"
                raise JobConflict(job_id, job.state, "run now", reason=why)
            is_later = JOBS.c.execute_at > now
            due = update(JOBS).where(JOBS.c.id == job_id, is_later).values(execute_at=now)
            await connection.execute(due)
            await wake_after_commit(session, self._wakeups)

    @repeated_after_deadlock
    async def reschedule(self, job_id: UUID, execute_at: datetime) -> datetime:
        """Make a pending job due at a time, and not before; return that time.

        A time that has passed is now. Raises `JobNotFound` and `JobConflict`.
        """
        execute_at = max(execute_at, self._clock.now())
        async with self._database.session() as session:
            connection = await session.connection()
            await _lock_pending(connection, job_id, "rescheduled")
            moved = update(JOBS).where(JOBS.c.id == job_id).values(_due(execute_at))
            await connection.execute(moved)
            await wake_after_commit(session, self._wakeups)
        return execute_at


async def _lock_pending(connection: AsyncConnection, job_id: UUID, action: str) -> LiveJob:
    job = await lock_live(connection, job_id, action, _ALLOWED)
    if job.state is not JobState.PENDING:
        raise JobConflict(job_id, job.state, action, _ALLOWED)
    return job


def _due(execute_at: datetime) -> dict[str, ColumnElement[Any] | datetime]:
    """Return what a job is that waits for its time as if it had not been due before.

    It gets a turn once it is due, and a limit holds it back then, or does not.
    """
    turn_at = case((JOBS.c.place_at.is_(None), JOBS.c.turn_at))
    return {"execute_at": execute_at, "place_at": null(), "turn_at": turn_at, "held_by": null()}
