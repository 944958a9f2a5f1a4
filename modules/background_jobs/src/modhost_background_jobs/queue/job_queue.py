"""What producers and people do to jobs: enqueue, cancel, retry."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import InvalidJobData, JobConflict, JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.queue.changing.locked_jobs import lock_failed, lock_live, read_column
from modhost_background_jobs.queue.changing.requeuing import holder_of_key, requeue
from modhost_background_jobs.queue.direct_inserts import DirectInserts
from modhost_background_jobs.queue.inserting import wake_after_commit
from modhost_background_jobs.queue.producing import producing, tracer_for
from modhost_background_jobs.queue.unique import insert_jobs
from modhost_background_jobs.queue.workflows.nodes import insert_nodes
from modhost_background_jobs.storage import JobStore, QueueClock, Wakeups
from modhost_background_jobs.storage.columns import CARRIED
from modhost_background_jobs.storage.deadlocks import repeated_after_deadlock
from modhost_background_jobs.storage.dialects import notify
from modhost_background_jobs.storage.end_events import NO_END_EVENTS, EndEvents
from modhost_background_jobs.storage.tables import FINISHED, JOBS
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import follow_cancelled
from modhost_background_jobs.storage.workflows.rules import Tally
from modhost_background_jobs.storage.workflows.steps import run_in_session


class DatabaseJobQueue:
    """A durable queue on the application's own database; workers use its `JobStore`."""

    def __init__(
        self,
        database: Database,
        store: JobStore,
        wakeups: Wakeups,
        clock: QueueClock,
        events: EndEvents = NO_END_EVENTS,
    ) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._wakeups = wakeups
        self._inserts = DirectInserts(store)

    async def enqueue(
        self, jobs: Sequence[NewJob], session: AsyncSession | None = None
    ) -> list[UUID]:
        """Insert jobs and return their ids: in one commit with others, or in a session."""
        self._database.refuse_other_loops()
        if (tracer := tracer_for(jobs)) is not None:
            with producing(tracer, jobs) as traced:
                return await self.enqueue(traced, session)
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
            ids = await insert_nodes(session, jobs, self._clock.now(), self._events)
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
        if (tracer := tracer_for([job])) is not None:
            with producing(tracer, [job]) as (traced,):
                return await self.enqueue_once(traced, session)
        if session is None:
            async with self._database.session() as own:
                return await self.enqueue_once(job, own)
        connection = await session.connection()
        if job.node is not None and await read_column(connection, job.id, "id") is None:
            (id_,) = await insert_nodes(session, [job], self._clock.now(), self._events)
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
            job = await lock_live(connection, job_id)
            if job.state is JobState.PENDING:
                cancelled = [job_id]
                if job.is_awaited or job.on_hold:
                    cancelled += await _cancel_awaited(connection, job_id, job.workflow_id, now)
                else:
                    await _cancel_pending(connection, job_id, now)
                await self._events.store(session, cancelled, now)
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
            await lock_failed(connection, job_id)
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
        await wake_after_commit(session, self._wakeups)


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
) -> list[UUID]:
    """Cancel a pending job, and what can no longer run because of that; return the latter."""
    statements = workflow_statements(connection.dialect.name)
    await run_in_session(connection, statements.stop([job_id]))
    cancelling = statements.cancel([(job_id, None)], now)
    cancelled = await run_in_session(connection, cancelling)
    if workflow_id is not None:
        by_somebody = {workflow_id: Tally(stopped=len(cancelled))}
        await run_in_session(connection, statements.count(by_somebody, now))
    return await run_in_session(connection, follow_cancelled(statements, cancelled, now))
