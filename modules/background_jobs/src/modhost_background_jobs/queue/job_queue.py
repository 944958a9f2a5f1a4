"""What producers and people do to jobs: enqueue, cancel, retry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Table, delete, event, func, insert, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import InvalidJobData, JobConflict, JobNotFound, JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.queue.direct_inserts import DirectInserts
from modhost_background_jobs.queue.nodes import insert_nodes
from modhost_background_jobs.queue.requeuing import holder_of_key, requeue
from modhost_background_jobs.queue.unique import insert_jobs
from modhost_background_jobs.storage import JobStore, QueueClock, Wakeups
from modhost_background_jobs.storage.columns import CARRIED
from modhost_background_jobs.storage.deadlocks import repeated_after_deadlock
from modhost_background_jobs.storage.dialects import notify
from modhost_background_jobs.storage.tables import CONDITIONS, FINISHED, JOBS, WORKFLOWS
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import follow_cancelled
from modhost_background_jobs.storage.workflows.rules import Tally
from modhost_background_jobs.storage.workflows.steps import run_in_session

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
            return await self._enqueue_alone(jobs)
        connection = await session.connection()
        if all(job.node is None for job in jobs):
            ids = await insert_jobs(connection, jobs)
        else:
            ids = await insert_nodes(connection, jobs, self._clock.now())
        await self.wake_after_commit(session)
        return ids

    @repeated_after_deadlock
    async def _enqueue_alone(self, jobs: Sequence[NewJob]) -> list[UUID]:
        async with self._database.session() as session:
            return await self.enqueue(jobs, session)

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
        if job.node is not None and await _read(connection, job.id, "id") is None:
            (id_,) = await insert_nodes(connection, [job], self._clock.now())
        else:
            (id_,) = await insert_jobs(connection, [job], unless_there=True)
        await self.wake_after_commit(session)
        if id_ == job.id:
            await _refuse_second(connection, job)
        return id_

    @repeated_after_deadlock
    async def cancel(self, job_id: UUID) -> JobState:
        """Cancel a pending job, or ask a running one to stop; return `Cancelled` or `Running`.

        Raises `JobNotFound`, and `JobConflict` for a finished job.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            job = await _lock_live(connection, job_id)
            if job.state is JobState.PENDING:
                if job.is_awaited or job.on_hold:
                    await _cancel_awaited(connection, job_id, job.workflow_id, now)
                else:
                    await _cancel_pending(connection, job_id, now)
                return JobState.CANCELLED
            asked = func.coalesce(JOBS.c.cancel_requested_at, now)
            await connection.execute(
                update(JOBS).where(JOBS.c.id == job_id).values(cancel_requested_at=asked)
            )
            await notify(connection, "stop")
        self.wake_stopping()
        return JobState.RUNNING

    @repeated_after_deadlock
    async def retry(self, job_id: UUID) -> None:
        """Queue a failed job again under its id, its fence unchanged, its attempts kept.

        Raises `JobNotFound`, and `JobConflict` for a job that has not failed.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            await _lock_failed(connection, job_id)
            # Again where the job that had its unique key has just finished.
            while not await requeue(connection, [job_id], now):
                if (other := await holder_of_key(connection, job_id)) is not None:
                    raise JobConflict(job_id, JobState.FAILED, "retried", taken_by=other)
            await notify(connection, "due")
        self._wakeups.work.fire()

    def wake_stopping(self) -> None:
        """Have the workers of this process notice who was asked to stop."""
        self._wakeups.stop_requests.fire()

    async def wake_after_commit(self, session: AsyncSession) -> None:
        """Have workers notice what a session has stored, once it is committed."""
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


async def _cancel_awaited(
    connection: AsyncConnection, job_id: UUID, workflow_id: UUID | None, now: datetime
) -> None:
    """Cancel a pending job, and what can no longer run because of that."""
    statements = workflow_statements(connection.dialect.name)
    await run_in_session(connection, statements.stop([job_id]))
    cancelling = statements.cancel([(job_id, None)], now)
    cancelled = await run_in_session(connection, cancelling)
    if workflow_id is not None:
        by_somebody = {workflow_id: Tally(stopped=len(cancelled))}
        await run_in_session(connection, statements.count(by_somebody, now))
    await run_in_session(connection, follow_cancelled(statements, cancelled, now))


class _LiveJob(NamedTuple):
    """A live job that is locked."""

    state: JobState
    is_awaited: bool
    workflow_id: UUID | None
    on_hold: bool


async def _lock_live(connection: AsyncConnection, job_id: UUID) -> _LiveJob:
    """Lock a live job, and before it its workflow and the condition that it waits for.

    Raises `JobNotFound` and `JobConflict`.
    """
    columns = (JOBS.c.state, JOBS.c.is_awaited, JOBS.c.workflow_id, JOBS.c.on_hold)
    # Locked before it is read: a claim in progress is waited for.
    locking = select(*columns).where(JOBS.c.id == job_id).with_for_update()
    alone = locking.where(JOBS.c.workflow_id.is_(None), JOBS.c.on_hold.is_(False))
    while not (row := (await connection.execute(alone)).one_or_none()):
        has_workflow = await _lock_workflow(connection, JOBS, job_id)
        has_condition = await _lock_condition(connection, job_id)
        if (has_workflow or has_condition) and (
            row := (await connection.execute(locking)).one_or_none()
        ):
            break
        found = await _state(connection, job_id)
        # A live job after all has come back in between, by a retry.
        if found.is_final:
            raise JobConflict(job_id, found, "cancelled", "a pending or running job")
    return _LiveJob(JobState(row.state), *row[1:])


async def _lock_failed(connection: AsyncConnection, job_id: UUID) -> None:
    """Lock a failed job, and its workflow before it. Raises `JobNotFound` and `JobConflict`."""
    await _lock_workflow(connection, FINISHED, job_id)
    is_failed = FINISHED.c.state == JobState.FAILED.value
    statement = select(FINISHED.c.id).where(FINISHED.c.id == job_id, is_failed).with_for_update()
    while not (await connection.execute(statement)).first():
        found = await _state(connection, job_id)
        # A failed job after all has failed in between.
        if found is not JobState.FAILED:
            raise JobConflict(job_id, found, "retried", "a failed job")


async def _lock_workflow(connection: AsyncConnection, table: Table, job_id: UUID) -> bool:
    """Lock the workflow of a job; return whether it has one."""
    of_job = select(table.c.workflow_id).where(table.c.id == job_id).scalar_subquery()
    locking = select(WORKFLOWS.c.id).where(WORKFLOWS.c.id == of_job).with_for_update()
    return (await connection.execute(locking)).first() is not None


async def _lock_condition(connection: AsyncConnection, job_id: UUID) -> bool:
    """Lock a job's condition, as ends of others do before they release it; return if it has one."""
    locking = select(CONDITIONS.c.job_id).where(CONDITIONS.c.job_id == job_id).with_for_update()
    return (await connection.execute(locking)).first() is not None


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
