"""The context in which jobs run."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Protocol

from typing_extensions import TypeVar

from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.job.steps import JobSteps
from modhost_background_jobs.contracts.job.workflow_block import Workflow

T = TypeVar("T")
Data_co = TypeVar("Data_co", covariant=True, default=Any)


class JobExecutionContext(JobSteps, Protocol[Data_co]):
    """One attempt's view of its job."""

    @property
    def job_id(self) -> JobId:
        """The id of the job, the same for all its attempts."""

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""

    @property
    def due_at(self) -> datetime | None:
        """The due time for which a run of a schedule runs, whenever it does; None for other jobs.

        Its attempts share it. A run that somebody asked for besides the due times has none.
        """

    @property
    def cancelled(self) -> bool:
        """Whether the job must stop: cancelled, timed out, lease lost, or worker shutting down."""

    def raise_if_cancelled(self) -> None:
        """Stop a job that runs in a thread when `cancelled` is set.

        Raises:
            JobCancelled: the job was asked to stop.

        """

    @property
    def data(self) -> Data_co:
        """The job's data, validated as the `data_model` of its class, once; as JSON without one.

        Raises:
            JobDataError: the data does not fit the model; the job fails without another attempt.

        """

    def get_data(self, model: type[T]) -> T:
        """Return the job's data, validated as the model.

        Args:
            model: any type that pydantic validates: a model, a dataclass, `dict[str, int]`.

        Raises:
            JobDataError: the data does not fit the model; the job fails without another attempt.

        """

    @property
    def workflow(self) -> Workflow:
        """The workflow of the job, to which it may add jobs.

        They are stored together with the successful end of the attempt: one that fails adds
        nothing. What waits for this job waits for them too.

        Raises:
            InvalidWorkflow: the job belongs to no workflow.

        """

    def results(self, model: type[T]) -> AsyncIterator[T]:
        """Go through the results of the jobs before this one, in the order of `after`.

        Jobs that did not complete, or returned nothing, are left out.

        Args:
            model: the type that each result is validated as.

        Raises:
            JobDataError: a result does not fit the model; the job fails without another attempt.

        """

    def report_progress(self, percentage: float, message: str | None = None) -> None:
        """Report progress; never blocks, stored in batches.

        Args:
            percentage: 0 to 100; a value out of bounds is clamped, and logged once.
            message: a short text; None keeps the last one. Cut off after 16,000 characters.

        """

    def log(self, message: str) -> None:
        """Add a line to the job's log, with the current time; never blocks, stored in batches.

        Args:
            message: the text of the line, cut off after 16,000 characters.

        """
