"""Rows of the database as the models of the contracts."""

from collections.abc import Sequence

from modhost.audit import AuditLog, recorded
from modhost_background_jobs.contracts import (
    JobAttempt,
    JobConflict,
    JobDetail,
    JobFilter,
    JobId,
    JobLogEntry,
    JobNotFound,
    JobState,
    JobStatus,
    JobSummary,
    PagedResult,
    RecurringJob,
)
from modhost_background_jobs.model.job_data import for_people
from modhost_background_jobs.queries.listing import JobListing, Row
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedules import RecurringSchedules


def summary_of(row: Row) -> JobSummary:
    """Return a job as a line of a list."""
    return JobSummary.model_validate(row)


def status_of(row: Row) -> JobStatus:
    """Return how a job stands."""
    return JobStatus.model_validate(row | {"retry_count": _retry_count(row)})


def as_decided(status: JobStatus, state: JobState) -> JobStatus:
    """Return a status as a decision left it; a worker may have gone on since."""
    if status.state is state:
        return status
    return status.model_copy(update={"state": state, "completed_at": None})


def detail_of(row: Row, attempts: list[Row], logs: list[Row]) -> JobDetail:
    """Return all that is known of a job."""
    return JobDetail.model_validate(
        row
        | {
            "retry_count": _retry_count(row),
            "data": for_people(row["data"]),
            "logs": [_log_entry(line) for line in logs],
            "attempts": attempts_of(row, attempts),
        }
    )


def attempts_of(row: Row, earlier: list[Row]) -> list[JobAttempt]:
    """Return all attempts of a job, the one that runs included."""
    return [_attempt(attempt) for attempt in earlier] + _current_attempt(row)


def _retry_count(row: Row) -> int:
    executions: int = row["attempt"]
    return max(0, executions - 1)


def _log_entry(row: Row) -> JobLogEntry:
    return JobLogEntry(timestamp=row["logged_at"], message=row["message"])


def _attempt(row: Row) -> JobAttempt:
    return JobAttempt.model_validate(row, from_attributes=False)


def _current_attempt(row: Row) -> list[JobAttempt]:
    """Return the attempt that stands in the job's own row: the one that runs, or the last one."""
    if row["started_at"] is None:
        return []
    return [
        JobAttempt(
            number=row["attempt"],
            started_at=row["started_at"],
            ended_at=row["completed_at"],
            worker=row["worker"],
            error=row["error"],
        )
    ]


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
