"""What can be done to many jobs at a time."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, model_validator

from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    InvalidJobData,
    JobId,
    JobState,
)
from modhost_background_jobs.queries.search.job_search import JobSearch


class _Words(NamedTuple):
    """How a change is called: what one does, what is being done, and which jobs it is for."""

    verb: str
    doing: str
    states: tuple[JobState, ...]
    whose: str


class Change(StrEnum):
    """What can be done to many jobs."""

    CANCEL = "cancel"
    RETRY = "retry"
    RUN_NOW = "run_now"
    RESCHEDULE = "reschedule"
    DELETE = "delete"

    @property
    def verb(self) -> str:
        """What one does."""
        return _WORDS[self].verb

    @property
    def doing(self) -> str:
        """What is being done."""
        return _WORDS[self].doing

    @property
    def states(self) -> tuple[JobState, ...]:
        """The states of the jobs that it can be done to."""
        return _WORDS[self].states

    @property
    def whose(self) -> str:
        """Which jobs it is for, in a few words."""
        return _WORDS[self].whose

    @property
    def is_dangerous(self) -> bool:
        """Whether what it does cannot be taken back."""
        return self in (Change.CANCEL, Change.DELETE)


_PENDING: Final = (JobState.PENDING,)
_FINISHED: Final = tuple(state for state in JobState if state.is_final)
_WORDS: Final = {
    Change.CANCEL: _Words(
        "Cancel", "Cancelling", (JobState.RUNNING, JobState.PENDING), "are pending or running"
    ),
    Change.RETRY: _Words("Retry", "Retrying", (JobState.FAILED,), "have failed"),
    Change.RUN_NOW: _Words("Run now", "Making due", _PENDING, "are pending"),
    Change.RESCHEDULE: _Words("Reschedule", "Rescheduling", _PENDING, "are pending"),
    Change.DELETE: _Words("Delete", "Deleting", _FINISHED, "have finished"),
}


class BulkChange(BaseModel):
    """The data of the job that changes all jobs of a search up to the id `last`."""

    change: Change
    search: JobSearch
    last: UUID
    execute_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.change is Change.RESCHEDULE and self.execute_at is None:
            raise ValueError("execute_at is missing: the time to reschedule jobs to.")
        return self


async def change_one(
    change: Change,
    job_id: JobId,
    jobs: BackgroundJobs,
    queries: BackgroundJobsContracts,
    execute_at: datetime | None = None,
) -> None:
    """Change a job. Raises what the method of the contract does."""
    match change:
        case Change.CANCEL:
            await jobs.cancel(job_id)
        case Change.RETRY:
            await queries.retry(job_id)
        case Change.RUN_NOW:
            await jobs.run_now(job_id)
        case Change.DELETE:
            await jobs.delete(job_id)
        case Change.RESCHEDULE:
            if execute_at is None:
                raise InvalidJobData("execute_at is missing: the time to reschedule jobs to.")
            await jobs.reschedule(job_id, execute_at)
