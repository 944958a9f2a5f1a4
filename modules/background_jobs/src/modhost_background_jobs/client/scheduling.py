"""The implementation of the scheduling contract."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit import AuditLog
from modhost.caller import current_caller
from modhost.database import Database
from modhost_background_jobs.client.blocking.from_thread import ThreadCalls
from modhost_background_jobs.client.blocking.waiting import JobWaits
from modhost_background_jobs.client.call_flow import hold_back
from modhost_background_jobs.client.changing import JobChangesService
from modhost_background_jobs.client.flow import FlowControlService
from modhost_background_jobs.client.limits import (
    as_uuid,
    due_time,
    known_id,
    several,
    wait_seconds,
)
from modhost_background_jobs.client.new_jobs import Asked, NewJobs
from modhost_background_jobs.client.recurring import RecurringJobsService
from modhost_background_jobs.client.workflows.block import node_of
from modhost_background_jobs.client.workflows.service import WorkflowsService
from modhost_background_jobs.contracts import (
    JobId,
    JobStatus,
    ModuleJob,
)
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.contracts.workflows import After
from modhost_background_jobs.model import JobTypes, NewJob
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.workflows.summaries import WorkflowReader
from modhost_background_jobs.queue.changing.deletion import JobDeletion
from modhost_background_jobs.queue.changing.due_times import DueTimes
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.pauses import Pauses
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.queue.workers import QuietWorkers
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import QueueClock


class BackgroundJobsService(
    JobChangesService, RecurringJobsService, FlowControlService, WorkflowsService
):
    """Implements `BackgroundJobs`, which describes each method."""

    def __init__(
        self,
        queue: DatabaseJobQueue,
        listing: JobListing,
        schedules: RecurringSchedules,
        changes: ScheduleChanges,
        firing: RecurringFiring,
        types: JobTypes,
        options: BackgroundJobsOptions,
        database: Database,
        pauses: Pauses,
        quiet_workers: QuietWorkers,
        new_jobs: NewJobs,
        workflows: DatabaseWorkflows,
        workflow_reader: WorkflowReader,
        audit: AuditLog,
        clock: QueueClock,
        waits: JobWaits,
        due_times: DueTimes,
        deletion: JobDeletion,
    ) -> None:
        JobChangesService.__init__(self, queue, due_times, deletion, listing, audit)
        RecurringJobsService.__init__(self, schedules, changes, firing, types, options, audit)
        FlowControlService.__init__(self, database, pauses, quiet_workers, audit, clock)
        WorkflowsService.__init__(self, new_jobs, workflows, workflow_reader, audit, clock)
        self._waits = waits
        self._from_thread = ThreadCalls(self)

    async def enqueue(
        self,
        job: type[ModuleJob],
        data: Any = None,
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        job_id: JobId | None = None,
        after: After = (),
        when: RunWhen = "succeeded",
    ) -> JobId:
        """Store a job that is due now."""
        asked = await self._asked(job, queue, priority, tags, max_attempts, timeout)
        new = self._new_jobs.make(asked, data, job_id=job_id, node=node_of(after, when))
        return await self._store(new, session, is_named=job_id is not None)

    async def enqueue_many(
        self,
        job: type[ModuleJob],
        data: Sequence[Any],
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        then: tuple[type[ModuleJob], Any] | tuple[type[ModuleJob], Any, RunWhen] | None = None,
    ) -> list[JobId]:
        """Store many jobs in one statement."""
        asked = await self._asked(job, queue, priority, tags, max_attempts, timeout)
        if then is not None:
            return await self.enqueue_batch(asked, data, then, session)
        new = [self._new_jobs.make(asked, item) for item in several(data)]
        if not new:
            return []
        if job.concurrency:
            new = list(hold_back(asked.flow.registered, new))
        return list(map(JobId, await self._queue.enqueue(new, session)))

    async def schedule(
        self,
        job: type[ModuleJob],
        execute_at: datetime,
        data: Any = None,
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        job_id: JobId | None = None,
        after: After = (),
        when: RunWhen = "succeeded",
    ) -> JobId:
        """Store a job that is due later."""
        due_at = due_time(execute_at)
        asked = await self._asked(job, queue, priority, tags, max_attempts, timeout)
        new = self._new_jobs.make(asked, data, due_at, job_id, node_of(after, when))
        return await self._store(new, session, is_named=job_id is not None)

    @property
    def from_thread(self) -> ThreadCalls:
        """The same calls for threads."""
        return self._from_thread

    async def wait(self, job_id: JobId, timeout: timedelta) -> JobStatus:
        """Wait until a job has ended."""
        seconds = wait_seconds(timeout)
        return await self._waits.wait(known_id(job_id), seconds)

    async def get_status(self, job_id: JobId) -> JobStatus | None:
        """Read one job."""
        id_ = as_uuid(job_id)
        row = None if id_ is None else await self._listing.find(id_)
        return JobStatus.model_validate(row) if row else None

    async def _store(self, new: NewJob, session: AsyncSession | None, *, is_named: bool) -> JobId:
        if is_named:
            return JobId(await self._queue.enqueue_once(new, session))
        (job_id,) = await self._queue.enqueue([new], session)
        return JobId(job_id)

    async def _asked(
        self,
        job: type[ModuleJob],
        queue: str | None,
        priority: int | None,
        tags: Sequence[str],
        max_attempts: int | None,
        timeout: timedelta | None,
    ) -> Asked:
        return Asked(
            flow=self._new_jobs.flow_of(job, queue, priority, tags),
            max_attempts=max_attempts,
            timeout=timeout,
            enqueued_by=(await current_caller()).person,
            now=self._clock.now(),
        )
