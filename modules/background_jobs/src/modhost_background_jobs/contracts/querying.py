"""The contract for reading jobs, recurring jobs and workflows."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from typing_extensions import TypeForm

from modhost_background_jobs.contracts.ids import JobId, WorkflowId
from modhost_background_jobs.contracts.models import (
    JobAction,
    JobDetail,
    JobFilter,
    JobStatus,
    JobSummary,
    PagedResult,
    RecurringJob,
)
from modhost_background_jobs.contracts.workflow_models import (
    WorkflowDetail,
    WorkflowFilter,
    WorkflowJobFilter,
)
from modhost_background_jobs.contracts.workflows import WorkflowSummary

T = TypeVar("T")


class BackgroundJobsContracts(Protocol):
    """Read jobs, recurring jobs and workflows, and retry failed jobs."""

    async def get_jobs(self, job_filter: JobFilter) -> PagedResult[JobSummary]:
        """Return a page of jobs, newest first.

        Args:
            job_filter: which jobs to list, and which page of them.

        Returns:
            The jobs of the page, and how many jobs there are on all pages.

        """

    async def get_job_detail(self, job_id: JobId) -> JobDetail | None:
        """Return a job with its data, log and attempts, or None when there is no such job.

        Args:
            job_id: the job to read.

        """

    async def get_job_actions(self, job_id: JobId) -> Sequence[JobAction]:
        """Return what people did to a job, by the audit, the oldest first.

        Args:
            job_id: the job to read.

        Raises:
            JobNotFound: there is no such job.

        """

    async def get_result(self, job_id: JobId, model: TypeForm[T]) -> T:
        """Return what the `execute` of a job returned, validated as the model.

        Args:
            job_id: the job, which must have completed.
            model: any type that pydantic validates, as the job declares it: `Size`, `list[int]`.

        Returns:
            The result, its secrets included; None for a job that returned nothing, where the model
            may be None.

        Raises:
            JobNotFound: there is no such job.
            ResultNotAvailable: it has not completed, or failed, or returned nothing, or what it
                returned does not fit the model; `state` and `reason` say which.

        """

    async def get_recurring_jobs(self) -> Sequence[RecurringJob]:
        """Return all recurring jobs, ordered by name."""

    async def get_recurring_count(self) -> int:
        """Return the number of recurring jobs."""

    async def get_workflows(self, workflow_filter: WorkflowFilter) -> PagedResult[WorkflowSummary]:
        """Return a page of workflows, newest first.

        Args:
            workflow_filter: which workflows to list, and which page of them.

        """

    async def get_workflow_detail(
        self, workflow_id: WorkflowId, job_filter: WorkflowJobFilter | None = None
    ) -> WorkflowDetail | None:
        """Return a workflow with a page of its jobs, or None when there is no such workflow.

        Args:
            workflow_id: the workflow to read.
            job_filter: which of its jobs to list, and which page of them; the first 50 by default.

        """

    async def retry(self, job_id: JobId) -> JobStatus:
        """Queue a failed job again under the same id, with as many attempts as a new job.

        Args:
            job_id: the job to retry.

        Returns:
            The job's status, which is `Pending`.

        Raises:
            JobNotFound: there is no such job.
            JobConflict: the job has not failed.

        """
