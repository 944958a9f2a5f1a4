"""The implementation of the querying contract."""

from collections.abc import Sequence

from modhost.audit import AuditLog, recorded
from modhost_background_jobs.contracts.errors import JobConflict, JobNotFound
from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.models import (
    JobDetail,
    JobFilter,
    JobStatus,
    JobSummary,
    PagedResult,
    RecurringJob,
)
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.listing import JobListing
from modhost_background_jobs.queue.recurring import RecurringSchedules, Row
from modhost_background_jobs.services.views import as_decided, detail_of, status_of, summary_of


class BackgroundJobsQueries:
    """Implements `BackgroundJobsContracts`; what each method promises is said there."""

    def __init__(
        self,
        queue: DatabaseJobQueue,
        listing: JobListing,
        schedules: RecurringSchedules,
        audit: AuditLog,
    ) -> None:
        self._queue = queue
        self._listing = listing
        self._schedules = schedules
        self._audit = audit

    async def get_jobs(self, job_filter: JobFilter) -> PagedResult[JobSummary]:
        """Read a page of jobs."""
        rows, total = await self._listing.page(
            job_filter.state,
            job_filter.job_type,
            offset=(job_filter.page - 1) * job_filter.page_size,
            limit=job_filter.page_size,
        )
        return PagedResult[JobSummary](
            items=[summary_of(row) for row in rows],
            total_count=total,
            page=job_filter.page,
            page_size=job_filter.page_size,
        )

    async def get_job_detail(self, job_id: JobId) -> JobDetail | None:
        """Read a job with its log and attempts."""
        found = await self._listing.detail(job_id)
        return detail_of(*found) if found else None

    async def get_recurring_jobs(self) -> Sequence[RecurringJob]:
        """Read all schedules."""
        return [_recurring(row) for row in await self._schedules.all()]

    async def get_recurring_count(self) -> int:
        """Count the schedules."""
        return await self._schedules.count()

    async def retry(self, job_id: JobId) -> JobStatus:
        """Queue a failed job again."""
        async with recorded(self._audit, "jobs.retry", f"job:{job_id}", JobConflict, JobNotFound):
            await self._queue.retry(job_id)
        row = await self._listing.find(job_id)
        if row is None:
            raise JobNotFound(job_id)
        return as_decided(status_of(row), JobState.PENDING)


def _recurring(row: Row) -> RecurringJob:
    next_run_at = row["next_run_at"] if row["is_enabled"] else None
    return RecurringJob.model_validate(row | {"next_run_at": next_run_at})
