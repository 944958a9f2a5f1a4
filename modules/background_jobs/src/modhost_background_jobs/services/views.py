"""Rows of the database as the models of the contracts."""

from modhost_background_jobs.contracts.models import (
    JobAttempt,
    JobDetail,
    JobLogEntry,
    JobStatus,
    JobSummary,
)
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue.job_data import for_people
from modhost_background_jobs.queue.listing import Row


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
