"""Workflows in the database: stored, grown, cancelled and retried, each in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import JobNotFound, JobState, WorkflowConflict, WorkflowState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.model.workflow import NewWorkflow
from modhost_background_jobs.queue.changing.requeuing import requeue
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.producing import producing, tracer_for
from modhost_background_jobs.queue.workflows.nodes import insert_nodes
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.deadlocks import repeated_after_deadlock
from modhost_background_jobs.storage.dialects import in_batches, notify
from modhost_background_jobs.storage.end_events import NO_END_EVENTS, EndEvents
from modhost_background_jobs.storage.tables import (
    CONDITIONS,
    DEPENDENCIES,
    FINISHED,
    JOBS,
    WORKFLOWS,
)
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import follow_cancelled
from modhost_background_jobs.storage.workflows.rules import Tally
from modhost_background_jobs.storage.workflows.steps import run_in_session

BY_SOMEBODY = "cancelled: the workflow was cancelled before the job began."


class DatabaseWorkflows:
    """What producers and people do to workflows."""

    def __init__(
        self,
        database: Database,
        queue: DatabaseJobQueue,
        clock: QueueClock,
        events: EndEvents = NO_END_EVENTS,
    ) -> None:
        self._database = database
        self._events = events
        self._queue = queue
        self._clock = clock
        self._statements = workflow_statements(database.dialect)

    async def store(
        self, workflow: NewWorkflow, jobs: Sequence[NewJob], session: AsyncSession | None
    ) -> None:
        """Store a workflow with all of its jobs. Raises as `insert_nodes` does."""
        self._database.refuse_other_loops()
        if (tracer := tracer_for(jobs)) is not None:
            with producing(tracer, jobs) as traced:
                return await self.store(workflow, traced, session)
        if session is None:
            return await self._store_alone(workflow, jobs)
        connection = await session.connection()
        count = len(jobs)
        row = {
            "id": workflow.id,
            "name": workflow.name,
            "created_at": workflow.created_at,
            "created_by": workflow.created_by,
            "total": count,
            "unfinished": count,
        }
        if not count:
            row |= {"outcome": WorkflowState.COMPLETED, "completed_at": workflow.created_at}
        await connection.execute(insert(WORKFLOWS).values(row))
        await insert_nodes(session, jobs, workflow.created_at, self._events)
        await self._queue.wake_after_commit(session)
        return None

    @repeated_after_deadlock
    async def _store_alone(self, workflow: NewWorkflow, jobs: Sequence[NewJob]) -> None:
        async with self._database.session() as session:
            await self.store(workflow, jobs, session)

    async def grow(
        self, session: AsyncSession, job_id: UUID, workflow_id: UUID, jobs: Sequence[NewJob]
    ) -> None:
        """Add jobs that a running one asks for: what waits for it waits for them too.

        The caller ends the job in the same transaction. Raises as `insert_nodes` does.
        """
        if (tracer := tracer_for(jobs)) is not None:
            with producing(tracer, jobs) as traced:
                return await self.grow(session, job_id, workflow_id, traced)
        connection = await session.connection()
        await run_in_session(connection, self._statements.lock([job_id], with_dependents=True))
        count = len(jobs)
        grown = {"total": WORKFLOWS.c.total + count, "unfinished": WORKFLOWS.c.unfinished + count}
        await connection.execute(
            update(WORKFLOWS).where(WORKFLOWS.c.id == workflow_id).values(grown)
        )
        # Before the jobs, of which some may be cancelled at once.
        await self._let_dependents_wait(connection, job_id, jobs)
        await insert_nodes(session, jobs, self._clock.now(), self._events)
        await self._queue.wake_after_commit(session)
        return None

    @repeated_after_deadlock
    async def cancel(self, workflow_id: UUID) -> str:
        """Cancel the pending jobs, and ask the running ones to stop; return how many.

        Raises `JobNotFound`, and `WorkflowConflict` when all of its jobs have finished.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            outcome = await self._lock(connection, workflow_id)
            if outcome is not None:
                raise WorkflowConflict(
                    workflow_id, outcome, "cancelled", "a pending or running workflow"
                )
            await connection.execute(_conditions_of(workflow_id).with_for_update(of=CONDITIONS))
            in_state = JOBS.c.state == JobState.PENDING.value
            pending = select(JOBS.c.id).where(JOBS.c.workflow_id == workflow_id, in_state)
            locking = pending.order_by(JOBS.c.id).with_for_update()
            ids = list((await connection.execute(locking)).scalars())
            if ids:
                cancelled = await self._cancel_pending(connection, workflow_id, ids, now)
                await self._events.store(session, cancelled, now)
            asked = func.coalesce(JOBS.c.cancel_requested_at, now)
            left = update(JOBS).where(JOBS.c.workflow_id == workflow_id)
            stopping = await connection.execute(left.values(cancel_requested_at=asked))
            await notify(connection, "stop")
        self._queue.wake_stopping()
        return f"{len(ids)} jobs cancelled, {stopping.rowcount} asked to stop"

    @repeated_after_deadlock
    async def retry(self, workflow_id: UUID) -> str:
        """Queue all failed jobs again, and what was cancelled because of them; return how many.

        Raises `JobNotFound`, and `WorkflowConflict` when none has failed, or other jobs have the
        unique keys of all that have.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            outcome = await self._lock(connection, workflow_id)
            has_failed = FINISHED.c.state == JobState.FAILED.value
            failed = select(FINISHED.c.id).where(FINISHED.c.workflow_id == workflow_id, has_failed)
            ids = list((await connection.execute(failed.order_by(FINISHED.c.id))).scalars())
            if not ids:
                state = outcome or WorkflowState.RUNNING
                raise WorkflowConflict(workflow_id, state, "retried", "one with failed jobs")
            again = await requeue(connection, ids, now)
            if not again:
                state = outcome or WorkflowState.RUNNING
                allowed = "one of whose failed jobs no other job has the unique key"
                raise WorkflowConflict(workflow_id, state, "retried", allowed)
            await self._queue.wake_after_commit(session)
        left = f", {len(ids) - len(again)} left since their unique keys are taken"
        return f"{len(again)} jobs retried{left if len(again) < len(ids) else ''}"

    async def _let_dependents_wait(
        self, connection: AsyncConnection, job_id: UUID, jobs: Sequence[NewJob]
    ) -> None:
        waits = CONDITIONS.join(DEPENDENCIES, DEPENDENCIES.c.job_id == CONDITIONS.c.job_id)
        reading = (
            select(CONDITIONS.c.job_id)
            .select_from(waits)
            .where(DEPENDENCIES.c.after_id == job_id, CONDITIONS.c.verdict.is_(None))
            .order_by(CONDITIONS.c.job_id)
            .with_for_update(of=CONDITIONS)
        )
        dependents = list((await connection.execute(reading)).scalars())
        for some in in_batches(dependents):
            are_some = CONDITIONS.c.job_id.in_(some)
            more = {"unfinished": CONDITIONS.c.unfinished + len(jobs)}
            await connection.execute(update(CONDITIONS).where(are_some).values(more))
            last = (
                select(DEPENDENCIES.c.job_id, func.max(DEPENDENCIES.c.position))
                .where(DEPENDENCIES.c.job_id.in_(some))
                .group_by(DEPENDENCIES.c.job_id)
            )
            rows = [
                {"job_id": dependent, "position": position + number, "after_id": job.id}
                for dependent, position in await connection.execute(last)
                for number, job in enumerate(jobs, 1)
            ]
            await connection.execute(insert(DEPENDENCIES), rows)

    async def _cancel_pending(
        self, connection: AsyncConnection, workflow_id: UUID, ids: Sequence[UUID], now: datetime
    ) -> list[UUID]:
        statements = self._statements
        await run_in_session(connection, statements.stop(ids))
        reasons = [(id_, BY_SOMEBODY) for id_ in ids]
        cancelled = await run_in_session(connection, statements.cancel(reasons, now))
        by_somebody = {workflow_id: Tally(stopped=len(cancelled))}
        await run_in_session(connection, statements.count(by_somebody, now))
        further = await run_in_session(connection, follow_cancelled(statements, cancelled, now))
        return [*cancelled, *further]

    async def _lock(self, connection: AsyncConnection, workflow_id: UUID) -> str | None:
        """Lock a workflow and return its outcome, None while it is open. Raises `JobNotFound`."""
        reading = select(WORKFLOWS.c.outcome).where(WORKFLOWS.c.id == workflow_id)
        row = (await connection.execute(reading.with_for_update())).one_or_none()
        if row is None:
            raise JobNotFound(workflow_id, "workflow")
        outcome: str | None = row[0]
        return outcome


def _conditions_of(workflow_id: UUID) -> Select[tuple[UUID]]:
    """Return the conditions of a workflow: ends of other jobs lock them before they release it."""
    joined = CONDITIONS.join(JOBS, JOBS.c.id == CONDITIONS.c.job_id)
    reading = select(CONDITIONS.c.job_id).select_from(joined).order_by(CONDITIONS.c.job_id)
    return reading.where(JOBS.c.workflow_id == workflow_id)
