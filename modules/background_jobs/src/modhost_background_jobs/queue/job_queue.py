"""The queue as other parts of this module use it: put in, cancel, retry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, delete, event, func, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.clock import Clock
from modhost.database import Database
from modhost_background_jobs.contracts import InvalidJobData, JobConflict, JobNotFound, JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.storage import JobStore, Wakeups, is_integrity_error
from modhost_background_jobs.storage.group_commit import GroupCommit
from modhost_background_jobs.storage.postgres.statements import CHANNEL
from modhost_background_jobs.storage.tables import EndedAttempt, FinishedJob, Job, JobColumns
from modhost_background_jobs.storage.upserts import insert_unless_there

JOBS: Final[Table] = Job.__table__  # type: ignore[attr-defined]
FINISHED: Final[Table] = FinishedJob.__table__  # type: ignore[attr-defined]
ATTEMPTS: Final[Table] = EndedAttempt.__table__  # type: ignore[attr-defined]

_CARRIED: Final = tuple(name for name in JobColumns.model_fields if name not in ("state", "error"))


class DatabaseJobQueue:
    """A durable queue on the application's own database.

    The workers' statements are `store`'s; here is what producers and people do to jobs.
    """

    def __init__(self, database: Database, store: JobStore, wakeups: Wakeups, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._wakeups = wakeups
        self._inserts = GroupCommit(store.insert, is_integrity_error)

    async def enqueue(self, jobs: Sequence[NewJob], session: AsyncSession | None = None) -> None:
        """Insert jobs: together with what others enqueue just now, or in the caller's session."""
        if session is None:
            # Before joining others, who would wait for this very task.
            self._database.refuse_nested_write()
            await self._inserts.submit(jobs)
            self._wakeups.work.fire()
            return
        connection = await session.connection()
        await connection.execute(insert(JOBS), [_row(job) for job in jobs])
        await self._wake_after_commit(session)

    async def enqueue_once(self, job: NewJob, session: AsyncSession | None = None) -> None:
        """Insert a job unless there is one with its id, pending, running or over.

        Raises `InvalidJobData` when that is a job of another type.
        """
        if session is None:
            async with self._database.session() as own:
                return await self.enqueue_once(job, own)
        connection = await session.connection()
        is_new = await insert_unless_there(connection, JOBS, _row(job), ["id"])
        # Looked at after the insert, which waits for whoever is just ending the job.
        if is_new and await _is_over(connection, job.id):
            await connection.execute(delete(JOBS).where(JOBS.c.id == job.id))
            is_new = False
        if is_new:
            await self._wake_after_commit(session)
        elif (job_type := await _type_of(connection, job.id)) != job.job_type:
            msg = f"The id {job.id} is that of a job of type {job_type}; give each job its own."
            raise InvalidJobData(msg)
        return None

    async def cancel(self, job_id: UUID) -> JobState:
        """Cancel a pending job, or ask a running one to stop; return `Cancelled` or `Running`.

        Raises `JobNotFound`, and `JobConflict` for a job that is over.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            state = await _lock_live(connection, job_id)
            if state == JobState.PENDING:
                await self._finish_pending(connection, job_id, now)
                return JobState.CANCELLED
            asked = func.coalesce(JOBS.c.cancel_requested_at, now)
            await connection.execute(
                update(JOBS).where(JOBS.c.id == job_id).values(cancel_requested_at=asked)
            )
            await self._notify(connection, "stop")
        self._wakeups.stop_requests.fire()
        return JobState.RUNNING

    async def retry(self, job_id: UUID) -> None:
        """Queue a failed job again under its id, its fence unchanged, its attempts kept.

        Raises `JobNotFound`, and `JobConflict` for a job that has not failed.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            row = await _lock_failed(connection, job_id)
            await connection.execute(insert(ATTEMPTS), [_last_attempt(row)])
            await connection.execute(insert(JOBS), [_fresh(row, now)])
            await connection.execute(delete(FINISHED).where(FINISHED.c.id == job_id))
            await self._notify(connection, "due")
        self._wakeups.work.fire()

    async def _finish_pending(
        self, connection: AsyncConnection, job_id: UUID, now: datetime
    ) -> None:
        row = (await connection.execute(select(JOBS).where(JOBS.c.id == job_id))).mappings().one()
        finished = {name: row[name] for name in _CARRIED}
        finished |= {"state": JobState.CANCELLED.value, "error": None, "completed_at": now}
        await connection.execute(insert(FINISHED), [finished])
        await connection.execute(delete(JOBS).where(JOBS.c.id == job_id))

    async def _wake_after_commit(self, session: AsyncSession) -> None:
        await self._notify(await session.connection(), "due")
        event.listen(
            session.sync_session, "after_commit", lambda _: self._wakeups.work.fire(), once=True
        )

    async def _notify(self, connection: AsyncConnection, payload: str) -> None:
        """Wake other processes when the transaction commits; SQLite's look at the file anyway."""
        if self._database.dialect == "postgresql":
            await connection.execute(select(func.pg_notify(CHANNEL, payload)))


async def _lock_live(connection: AsyncConnection, job_id: UUID) -> JobState:
    """Lock a job that is not over and return its state. Raises `JobNotFound` and `JobConflict`."""
    # Locked before it is looked at: a claim that is under way is waited for.
    statement = select(JOBS.c.state).where(JOBS.c.id == job_id).with_for_update()
    while not (state := (await connection.execute(statement)).scalar_one_or_none()):
        found = await _state(connection, job_id)
        # A job that is not over after all has come back in between, by a retry.
        if found.is_final:
            raise JobConflict(job_id, found, "cancelled", "a pending or running job")
    return JobState(state)


async def _lock_failed(connection: AsyncConnection, job_id: UUID) -> dict[str, Any]:
    """Lock a job that failed and return it. Raises `JobNotFound` and `JobConflict`."""
    statement = (
        select(FINISHED)
        .where(FINISHED.c.id == job_id, FINISHED.c.state == JobState.FAILED.value)
        .with_for_update()
    )
    while not (row := (await connection.execute(statement)).mappings().one_or_none()):
        found = await _state(connection, job_id)
        # One that has failed after all did so in between.
        if found is not JobState.FAILED:
            raise JobConflict(job_id, found, "retried", "a failed job")
    return dict(row)


async def _state(connection: AsyncConnection, job_id: UUID) -> JobState:
    """Look at both tables by one statement, between whose parts no job can move."""
    parts = [select(table.c.state).where(table.c.id == job_id) for table in (JOBS, FINISHED)]
    state = (await connection.execute(union_all(*parts))).scalar_one_or_none()
    if state is None:
        raise JobNotFound(job_id)
    return JobState(state)


async def _type_of(connection: AsyncConnection, job_id: UUID) -> str:
    parts = [select(table.c.job_type).where(table.c.id == job_id) for table in (JOBS, FINISHED)]
    job_type: str = (await connection.execute(union_all(*parts))).scalar_one()
    return job_type


async def _is_over(connection: AsyncConnection, job_id: UUID) -> bool:
    found = await connection.execute(select(FINISHED.c.id).where(FINISHED.c.id == job_id))
    return found.first() is not None


def _row(job: NewJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "job_type": job.job_type,
        "module_name": job.module_name,
        "state": JobState.PENDING.value,
        "data": job.data,
        "created_at": job.created_at,
        "execute_at": job.execute_at,
        "max_attempts": job.max_attempts,
        "attempts_left": job.max_attempts,
        "timeout_seconds": job.timeout,
        "recurring_job_id": job.recurring_job_id,
        "enqueued_by": job.enqueued_by,
        "attempt": 0,
        "fence": 0,
        "rescues": 0,
        "progress_percentage": 0,
        "on_hold": False,
    }


def _last_attempt(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_id": row["id"],
        "fence": row["fence"],
        "number": row["attempt"],
        "started_at": row["started_at"],
        "ended_at": row["completed_at"],
        "worker": row["worker"],
        "error": row["error"],
    }


def _fresh(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {name: row[name] for name in _CARRIED} | {
        "state": JobState.PENDING.value,
        "error": None,
        "execute_at": now,
        "attempts_left": row["max_attempts"],
        "rescues": 0,
        "worker": None,
        "started_at": None,
        "progress_percentage": 0,
        "progress_message": None,
        "on_hold": False,
    }
