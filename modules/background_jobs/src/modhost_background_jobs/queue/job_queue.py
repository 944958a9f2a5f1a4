"""What producers and people do to jobs: enqueue, cancel, retry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    delete,
    event,
    func,
    insert,
    literal,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import InvalidJobData, JobConflict, JobNotFound, JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.queue.direct_inserts import DirectInserts
from modhost_background_jobs.queue.unique import insert_jobs
from modhost_background_jobs.storage import JobStore, QueueClock, Wakeups
from modhost_background_jobs.storage.columns import CARRIED, UNSTARTED_KEY
from modhost_background_jobs.storage.dialects import insert_selected, notify
from modhost_background_jobs.storage.tables import ATTEMPTS, FINISHED, IS_UNIQUE, JOBS

_LISTENS: Final = "modhost_background_jobs.listens"


class DatabaseJobQueue:
    """A durable queue on the application's own database; workers use its `JobStore`."""

    def __init__(
        self, database: Database, store: JobStore, wakeups: Wakeups, clock: QueueClock
    ) -> None:
        self._database = database
        self._clock = clock
        self._wakeups = wakeups
        self._inserts = DirectInserts(store)

    async def enqueue(
        self, jobs: Sequence[NewJob], session: AsyncSession | None = None
    ) -> list[UUID]:
        """Insert jobs and return their ids: in one commit with others, or in a session."""
        self._database.refuse_other_loops()
        if session is None:
            # Before joining others, who would wait for this very task.
            self._database.refuse_nested_write()
            if (inserted := await self._inserts.insert(jobs)) is not None:
                self._wakeups.work.fire()
                return inserted
            async with self._database.session() as own:
                return await self.enqueue(jobs, own)
        ids = await insert_jobs(await session.connection(), jobs)
        await self._wake_after_commit(session)
        return ids

    async def enqueue_once(self, job: NewJob, session: AsyncSession | None = None) -> UUID:
        """Insert a job unless one with its id exists, pending, running or finished.

        Returns its id, or that of the job that has its unique key. Raises `InvalidJobData` when its
        id is that of a job of another type.
        """
        self._database.refuse_other_loops()
        if session is None:
            async with self._database.session() as own:
                return await self.enqueue_once(job, own)
        connection = await session.connection()
        (id_,) = await insert_jobs(connection, [job], unless_there=True)
        await self._wake_after_commit(session)
        if id_ == job.id:
            await _refuse_second(connection, job)
        return id_

    async def cancel(self, job_id: UUID) -> JobState:
        """Cancel a pending job, or ask a running one to stop; return `Cancelled` or `Running`.

        Raises `JobNotFound`, and `JobConflict` for a finished job.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            if await _lock_live(connection, job_id) is JobState.PENDING:
                await _cancel_pending(connection, job_id, now)
                return JobState.CANCELLED
            asked = func.coalesce(JOBS.c.cancel_requested_at, now)
            await connection.execute(
                update(JOBS).where(JOBS.c.id == job_id).values(cancel_requested_at=asked)
            )
            await notify(connection, "stop")
        self._wakeups.stop_requests.fire()
        return JobState.RUNNING

    async def retry(self, job_id: UUID) -> None:
        """Queue a failed job again under its id, its fence unchanged, its attempts kept.

        Raises `JobNotFound`, and `JobConflict` for a job that has not failed.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            await _lock_failed(connection, job_id)
            if (other := await _requeue(connection, job_id, now)) is not None:
                raise JobConflict(job_id, JobState.FAILED, "retried", taken_by=other)
            await notify(connection, "due")
        self._wakeups.work.fire()

    async def _wake_after_commit(self, session: AsyncSession) -> None:
        await notify(await session.connection(), "due")
        # One listener for all jobs of a session: what once listened stays, even with `once`.
        if session.info.get(_LISTENS) is not self:
            session.info[_LISTENS] = self
            event.listen(session.sync_session, "after_commit", lambda _: self._wakeups.work.fire())


async def _refuse_second(connection: AsyncConnection, job: NewJob) -> None:
    """Remove a job that was inserted although its id is that of a finished one.

    Raises `InvalidJobData` when the id is that of a job of another type.
    """
    # Read after the insert, which waits for whoever is just finishing the job.
    parts = [
        select(literal(table is FINISHED), table.c.job_type).where(table.c.id == job.id)
        for table in (JOBS, FINISHED)
    ]
    found = {row[0]: row[1] for row in await connection.execute(union_all(*parts))}
    if len(found) > 1:
        await connection.execute(delete(JOBS).where(JOBS.c.id == job.id))
    job_type = found.get(True, found.get(False))
    if job_type not in (None, job.job_type):
        msg = f"The id {job.id} is that of a job of type {job_type}; give each job its own."
        raise InvalidJobData(msg)


async def _cancel_pending(connection: AsyncConnection, job_id: UUID, now: datetime) -> None:
    ended = {"state": JobState.CANCELLED.value, "completed_at": now}
    cancelled = select(
        *(JOBS.c[name] for name in CARRIED),
        *(literal(value, FINISHED.c[name].type) for name, value in ended.items()),
    ).where(JOBS.c.id == job_id)
    await connection.execute(insert(FINISHED).from_select([*CARRIED, *ended], cancelled))
    await connection.execute(delete(JOBS).where(JOBS.c.id == job_id))


async def _requeue(connection: AsyncConnection, job_id: UUID, now: datetime) -> UUID | None:
    """Move a failed job to the live ones: its last attempt recorded, all else as if it were new.

    Returns the job that has its unique key, if there is one, and then changes nothing that counts.
    """
    finished = FINISHED.c
    attempt = {
        "job_id": finished.id,
        "fence": finished.fence,
        "number": finished.attempt,
        "started_at": finished.started_at,
        "ended_at": finished.completed_at,
        "worker": finished.worker,
        "error": finished.error,
    }
    fresh = {
        "state": JobState.PENDING.value,
        "execute_at": now,
        "rescues": 0,
        "worker": None,
        "started_at": None,
        "progress_percentage": 0,
        "progress_message": None,
    }
    columns: dict[str, ColumnElement[Any]] = {name: finished[name] for name in CARRIED}
    columns |= {name: literal(value, JOBS.c[name].type) for name, value in fresh.items()}
    columns["attempts_left"] = finished.max_attempts
    key: ColumnElement[str] = literal_column(UNSTARTED_KEY)
    columns["unique_key"] = key
    failed = select(*columns.values()).where(finished.id == job_id)
    while not await insert_selected(connection, JOBS, list(columns), failed):
        has_key = JOBS.c.unique_key == select(key).where(finished.id == job_id).scalar_subquery()
        other: UUID | None = (
            await connection.execute(select(JOBS.c.id).where(has_key, literal_column(IS_UNIQUE)))
        ).scalar_one_or_none()
        # Again where that one has just finished.
        if other is not None:
            return other
    ended = select(*attempt.values()).where(finished.id == job_id)
    await connection.execute(insert(ATTEMPTS).from_select(list(attempt), ended))
    await connection.execute(delete(FINISHED).where(finished.id == job_id))
    return None


async def _lock_live(connection: AsyncConnection, job_id: UUID) -> JobState:
    """Lock a live job and return its state. Raises `JobNotFound` and `JobConflict`."""
    # Locked before it is read: a claim in progress is waited for.
    statement = select(JOBS.c.state).where(JOBS.c.id == job_id).with_for_update()
    while not (state := (await connection.execute(statement)).scalar_one_or_none()):
        found = await _state(connection, job_id)
        # A live job after all has come back in between, by a retry.
        if found.is_final:
            raise JobConflict(job_id, found, "cancelled", "a pending or running job")
    return JobState(state)


async def _lock_failed(connection: AsyncConnection, job_id: UUID) -> None:
    """Lock a failed job. Raises `JobNotFound` and `JobConflict`."""
    is_failed = FINISHED.c.state == JobState.FAILED.value
    statement = select(FINISHED.c.id).where(FINISHED.c.id == job_id, is_failed).with_for_update()
    while not (await connection.execute(statement)).first():
        found = await _state(connection, job_id)
        # A failed job after all has failed in between.
        if found is not JobState.FAILED:
            raise JobConflict(job_id, found, "retried", "a failed job")


async def _state(connection: AsyncConnection, job_id: UUID) -> JobState:
    """Return the state of a job. Raises `JobNotFound`."""
    if (state := await _read(connection, job_id, "state")) is None:
        raise JobNotFound(job_id)
    return JobState(state)


async def _read(connection: AsyncConnection, job_id: UUID, column: str) -> str | None:
    """Return a column of a job; None for an unknown id."""
    # One statement reads both tables: between its parts no job can move from one to the other.
    parts = [select(table.c[column]).where(table.c.id == job_id) for table in (JOBS, FINISHED)]
    value: str | None = (await connection.execute(union_all(*parts))).scalar_one_or_none()
    return value
