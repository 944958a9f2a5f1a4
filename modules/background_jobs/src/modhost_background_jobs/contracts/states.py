"""The states of a job."""

from enum import StrEnum


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
