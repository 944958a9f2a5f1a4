"""The contract by which modules look at jobs."""

from collections.abc import Sequence
from typing import Protocol

from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.models import (
    JobDetail,
    JobFilter,
    JobStatus,
    JobSummary,
    PagedResult,
    RecurringJob,
)


class BackgroundJobsContracts(Protocol):
    """Query jobs and schedules, and retry failed jobs."""

    async def get_jobs(self, job_filter: JobFilter) -> PagedResult[JobSummary]:
        """Return a page of jobs, newest first."""
        ...

    async def get_job_detail(self, job_id: JobId) -> JobDetail | None:
        """Return a job with its data, logs and attempts, or None when there is no such job."""
        ...

    async def get_recurring_jobs(self) -> Sequence[RecurringJob]:
        """Return all schedules by name."""
        ...

    async def get_recurring_count(self) -> int:
        """Return the number of schedules."""
        ...

    async def retry(self, job_id: JobId) -> JobStatus:
        """Queue a failed job again under its id, with a fresh allowance of attempts.

        Raises `JobNotFound`, and `JobConflict` for a job that has not failed.
        """
        ...
