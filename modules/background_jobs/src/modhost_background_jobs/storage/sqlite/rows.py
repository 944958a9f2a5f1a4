"""The queue's values as rows of SQLite, and the other way round."""

from datetime import datetime
from typing import Any
from uuid import UUID

from modhost.database import from_sqlite, to_sqlite
from modhost_background_jobs.model import (
    ClaimedJob,
    Ended,
    Lease,
    LogLine,
    NewJob,
    ProgressUpdate,
    Released,
)


def inserted(job: NewJob) -> tuple[object, ...]:
    """Return what inserts a job."""
    return (
        str(job.id),
        job.job_type,
        job.module_name,
        job.data,
        to_sqlite(job.created_at),
        to_sqlite(job.execute_at),
        job.max_attempts,
        job.timeout,
        str(job.recurring_job_id) if job.recurring_job_id else None,
        job.enqueued_by,
    )


def claimed(row: tuple[Any, ...], now: datetime) -> ClaimedJob:
    """Return the job that a claim's row tells of."""
    id_, fence, job_type, data, attempt, attempts_left, timeout, due_at, *more = row
    lease = Lease(UUID(id_), fence)
    due = from_sqlite(due_at)
    return ClaimedJob(lease, job_type, data, attempt, attempts_left, timeout, due, now, *more)


def progress(update: ProgressUpdate) -> list[object]:
    """Return what stores a job's progress."""
    id_, fence = update.lease
    return [str(id_), fence, update.percentage, update.message, to_sqlite(update.reported_at)]


def log_line(line: LogLine) -> list[object]:
    """Return what appends a log line."""
    id_, fence = line.lease
    return [str(id_), fence, line.line, to_sqlite(line.logged_at), line.message]


def ended(end: Ended) -> list[object]:
    """Return what ends a job."""
    id_, fence = end.lease
    return [str(id_), fence, end.state.value, end.error]


def cancelled(released: Released) -> list[object]:
    """Return what ends a job that was to be put back and had been asked to stop."""
    id_, fence = released.lease
    return [str(id_), fence, "Cancelled", released.error if released.spent else None]
