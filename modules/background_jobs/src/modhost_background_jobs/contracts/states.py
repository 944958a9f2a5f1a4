"""The states of a job."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; the words are the same in the database, in JSON and on pages."""

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
        """Tell whether a job in this state is over."""
        return self not in (JobState.PENDING, JobState.RUNNING)
