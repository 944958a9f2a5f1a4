"""Changes of single jobs by their ids."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

from modhost.audit import AuditLog, Record, recorded
from modhost_background_jobs.client.limits import due_time, known_id
from modhost_background_jobs.client.querying import status_after
from modhost_background_jobs.contracts import (
    JobConflict,
    JobId,
    JobNotFound,
    JobState,
    JobStatus,
)
from modhost_background_jobs.inspection.timeline import STOPPING
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.changing.deletion import JobDeletion
from modhost_background_jobs.queue.changing.due_times import DueTimes
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue


class JobChangesService:
    """Implements `JobChanges`, which describes each method."""

    def __init__(
        self,
        queue: DatabaseJobQueue,
        due_times: DueTimes,
        deletion: JobDeletion,
        listing: JobListing,
        audit: AuditLog,
    ) -> None:
        self._queue = queue
        self._due_times = due_times
        self._deletion = deletion
        self._listing = listing
        self._audit = audit

    async def cancel(self, job_id: JobId) -> JobStatus:
        """Cancel at once or ask to stop."""
        id_ = known_id(job_id)
        async with self._change("jobs.cancel", id_) as entry:
            state = await self._queue.cancel(id_)
            entry.detail = STOPPING if state is JobState.RUNNING else "cancelled at once"
        return await self._status(id_, state)

    async def run_now(self, job_id: JobId) -> JobStatus:
        """Make it due now."""
        id_ = known_id(job_id)
        async with self._change("jobs.run_now", id_):
            await self._due_times.run_now(id_)
        return await self._status(id_, JobState.PENDING)

    async def reschedule(self, job_id: JobId, execute_at: datetime) -> JobStatus:
        """Move its time."""
        id_, asked = known_id(job_id), due_time(execute_at)
        async with self._change("jobs.reschedule", id_) as entry:
            moved = await self._due_times.reschedule(id_, asked)
            entry.detail = f"due {moved:%Y-%m-%d %H:%M:%S} UTC"
        return await self._status(id_, JobState.PENDING)

    async def delete(self, job_id: JobId) -> None:
        """Delete it with all that is kept of it."""
        id_ = known_id(job_id)
        async with self._change("jobs.delete", id_) as entry:
            job = await self._deletion.delete(id_)
            entry.detail = f"{job.state.value}, of the type {job.job_type}"

    def _change(self, action: str, job_id: UUID) -> AbstractAsyncContextManager[Record]:
        return recorded(self._audit, action, f"job:{job_id}", JobConflict, JobNotFound)

    async def _status(self, job_id: UUID, decided: JobState) -> JobStatus:
        row = await self._listing.find(job_id)
        if row is None:
            raise JobNotFound(job_id)
        return status_after(row, decided)
