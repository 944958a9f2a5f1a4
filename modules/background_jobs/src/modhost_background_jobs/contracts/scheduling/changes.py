"""The contract for changing a job that is there: cancel, run now, reschedule, delete."""

from datetime import datetime
from typing import Protocol

from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.models import JobStatus


class JobChanges(Protocol):
    """Cancel a job, run it now, reschedule it, or delete it."""

    async def cancel(self, job_id: JobId) -> JobStatus:
        """Cancel a pending job at once, or ask a running one to stop, on whatever host it runs.

        Args:
            job_id: the job to cancel.

        Returns:
            The job's status: `Cancelled`, or `Running` until the job has stopped.

        Raises:
            JobNotFound: there is no such job.
            JobConflict: the job has finished.

        """

    async def run_now(self, job_id: JobId) -> JobStatus:
        """Make a pending job due now: one that is due later, or waits for its next attempt.

        Its turn, its priority, limits and pauses hold as for any other due job. One that is due
        already keeps its place.

        Args:
            job_id: the job to run.

        Returns:
            The job's status, which is `Pending`.

        Raises:
            JobNotFound: there is no such job.
            JobConflict: the job has started or finished, or waits for other jobs.

        """

    async def reschedule(self, job_id: JobId, execute_at: datetime) -> JobStatus:
        """Move the time at which a pending job is due, or its next attempt.

        A job that waits for others starts after these, and not before that time.

        Args:
            job_id: the job to move.
            execute_at: when it is due, with a time zone; a time that has passed is now.

        Returns:
            The job's status, which is `Pending`.

        Raises:
            JobNotFound: there is no such job.
            JobConflict: the job has started or finished.
            InvalidJobData: `execute_at` has no time zone or is out of bounds.

        """

    async def delete(self, job_id: JobId) -> None:
        """Delete a finished job with its data, result, log, attempts and steps.

        Args:
            job_id: the job to delete.

        Raises:
            JobNotFound: there is no such job.
            JobConflict: the job has not finished, its workflow has unfinished jobs, or an
                unfinished job was to run after it.

        """
