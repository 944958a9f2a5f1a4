"""The implementation of the scheduling contract."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost.audit import AuditLog, recorded
from modhost.caller import current_caller
from modhost.database import Database
from modhost_background_jobs.client.call_flow import CallFlow, call_flow, hold_back
from modhost_background_jobs.client.flow import FlowControlService
from modhost_background_jobs.client.limits import (
    as_uuid,
    attempts,
    bounded,
    due_time,
    known_id,
    timeout_seconds,
)
from modhost_background_jobs.client.querying import status_after
from modhost_background_jobs.client.recurring import RecurringJobsService
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobConflict,
    JobId,
    JobNotFound,
    JobState,
    JobStatus,
    ModuleJob,
)
from modhost_background_jobs.model import JobTypes, NewJob
from modhost_background_jobs.model.data.job_data import to_stored
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.pauses import Pauses
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import QueueClock


class BackgroundJobsService(RecurringJobsService, FlowControlService):
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
        audit: AuditLog,
        clock: QueueClock,
    ) -> None:
        RecurringJobsService.__init__(self, schedules, changes, firing, types, options, audit)
        FlowControlService.__init__(self, database, pauses, audit, clock)
        self._queue = queue
        self._listing = listing

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
    ) -> JobId:
        """Store a job that is due now."""
        now = self._clock.now()
        flow = call_flow(self._types.of_class(job), queue, priority, tags)
        new = await self._new(flow, data, now, now, max_attempts, timeout, job_id)
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
    ) -> list[JobId]:
        """Store many jobs in one statement."""
        now = self._clock.now()
        flow = call_flow(self._types.of_class(job), queue, priority, tags)
        new = [await self._new(flow, item, now, now, max_attempts, timeout) for item in data]
        if not new:
            return []
        if job.concurrency:
            new = list(hold_back(flow.registered, new))
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
    ) -> JobId:
        """Store a job that is due later."""
        now, due_at = self._clock.now(), due_time(execute_at)
        flow = call_flow(self._types.of_class(job), queue, priority, tags)
        new = await self._new(flow, data, now, due_at, max_attempts, timeout, job_id)
        return await self._store(new, session, is_named=job_id is not None)

    async def cancel(self, job_id: JobId) -> JobStatus:
        """Cancel at once or ask to stop."""
        id_ = known_id(job_id)
        async with recorded(
            self._audit, "jobs.cancel", f"job:{id_}", JobConflict, JobNotFound
        ) as entry:
            state = await self._queue.cancel(id_)
            entry.detail = "asked to stop" if state is JobState.RUNNING else "cancelled at once"
        row = await self._listing.find(id_)
        if row is None:
            raise JobNotFound(id_)
        return status_after(row, state)

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

    async def _new(
        self,
        flow: CallFlow,
        data: Any,
        now: datetime,
        execute_at: datetime,
        max_attempts: int | None,
        timeout: timedelta | None,
        job_id: JobId | None = None,
    ) -> NewJob:
        registered, job = flow.registered, flow.registered.job_class
        if job_id is not None and not isinstance(job_id, UUID):
            raise InvalidJobData(
                f"job_id is {ascii(job_id)[:60]}; give a UUID of modhost.new_id()."
            )
        stored = bounded(to_stored(data, job.data_model), self._options.max_data_size)
        return NewJob(
            id=job_id or new_id(),
            job_type=registered.job_type,
            module_name=registered.module_name,
            module_version=registered.module_version,
            data=stored,
            created_at=now,
            execute_at=execute_at,
            max_attempts=attempts(max_attempts, job.max_attempts, self._options.max_attempts),
            timeout_seconds=timeout_seconds(timeout, job.timeout),
            enqueued_by=(await current_caller()).person,
            flow=flow.of(data, stored),
        )
