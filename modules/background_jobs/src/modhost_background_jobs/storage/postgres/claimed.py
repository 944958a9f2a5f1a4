"""A claimed job, of the row that a statement of PostgreSQL returns."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from modhost.database import from_postgres
from modhost_background_jobs.model import ClaimedJob, Lease


def claimed_job(row: Sequence[Any], now: datetime) -> ClaimedJob:
    """Return the job of a row with the columns of `CLAIMED`."""
    id_, fence, job_type, data, attempt, attempts_left, timeout, due, *more = row
    if due.tzinfo is None:
        due = from_postgres(due)
    return ClaimedJob(
        Lease(id_, fence), job_type, data, attempt, attempts_left, timeout, due, now, *more
    )
