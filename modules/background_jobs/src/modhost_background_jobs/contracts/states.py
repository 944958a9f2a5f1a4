"""The states of jobs and workflows, and on which of them others run."""

from enum import StrEnum
from typing import Literal, TypeAlias

RunWhen: TypeAlias = Literal["succeeded", "failed", "finished"]
"""After which ends a job runs: all succeeded, one failed or was cancelled, or all finished."""


class JobState(StrEnum):
    """The state of a job, in the words of the database, of JSON and of pages."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"

    @classmethod
    def _missing_(cls, value: object) -> "JobState | None":
        """Accept any case, as query strings and people spell it."""
        wanted = str(value).lower()
        return next((state for state in cls if state.value.lower() == wanted), None)

    @property
    def is_final(self) -> bool:
        """Whether a job in this state has finished."""
        return self not in (JobState.PENDING, JobState.RUNNING)


class WorkflowState(StrEnum):
    """The state of a workflow: that of its jobs, taken together."""

    PENDING = "Pending"
    """None of its jobs has begun."""
    RUNNING = "Running"
    """Some have begun, and not all have finished."""
    COMPLETED = "Completed"
    """All have finished, and none failed or was cancelled by somebody."""
    FAILED = "Failed"
    """All have finished, and some failed."""
    CANCELLED = "Cancelled"
    """All have finished, none failed, and somebody has cancelled some."""

    @classmethod
    def _missing_(cls, value: object) -> "WorkflowState | None":
        """Accept any case, as query strings and people spell it."""
        wanted = str(value).lower()
        return next((state for state in cls if state.value.lower() == wanted), None)

    @property
    def is_final(self) -> bool:
        """Whether all jobs of a workflow in this state have finished."""
        return self not in (WorkflowState.PENDING, WorkflowState.RUNNING)
