"""All that the page of one job tells."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from modhost.clock import Clock
from modhost_background_jobs.contracts.errors import JobNotFound
from modhost_background_jobs.contracts.models import JobAttempt
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue.job_data import for_people
from modhost_background_jobs.queue.listing import JobListing, Row
from modhost_background_jobs.queue.reading_logs import JobLogs, LogPlace
from modhost_background_jobs.services.overview import Overview
from modhost_background_jobs.services.views import attempts_of

__all__ = ["LOG_LINES", "InspectedJob", "JobInspection", "LogPlace", "LogRow"]

LOG_LINES: Final = 300

LogRow = Row
"""A line of a log: `job_id`, `line`, `logged_at`, `message`."""


@dataclass(frozen=True, slots=True)
class InspectedJob:
    """A job as its page shows it; spans of time are in seconds."""

    row: Row
    state: JobState
    data: str | None
    attempts: Sequence[JobAttempt]
    log: Sequence[Row]
    why_waiting: str | None
    waited: float | None
    ran: float | None
    left: float | None

    @property
    def is_stopping(self) -> bool:
        """Tell whether a running job was asked to stop."""
        return self.row["cancel_requested_at"] is not None


class JobInspection:
    """Reads single jobs with everything about them."""

    def __init__(
        self, listing: JobListing, logs: JobLogs, overview: Overview, clock: Clock
    ) -> None:
        self._listing = listing
        self._logs = logs
        self._overview = overview
        self._clock = clock

    async def inspect(self, job_id: UUID, words: str | None = None) -> InspectedJob:
        """Return a job with the end of its log, or with the lines that have certain words.

        Raises `JobNotFound`.
        """
        found = await self._listing.with_attempts(job_id)
        if found is None:
            raise JobNotFound(job_id)
        row, earlier = found
        state = JobState(row["state"])
        ran = _ran(row, self._clock.now())
        return InspectedJob(
            row=row,
            state=state,
            data=_pretty(row["data"]),
            attempts=attempts_of(row, earlier),
            log=await self._logs.newest(job_id, LOG_LINES, words),
            why_waiting=await self._overview.why_waiting(job_id)
            if state is JobState.PENDING
            else None,
            waited=_waited(row),
            ran=ran,
            left=_left(row, ran) if state is JobState.RUNNING else None,
        )

    async def logs_after(
        self, places: Sequence[LogPlace], limit: int
    ) -> dict[LogPlace, list[LogRow]]:
        """Return what jobs logged after each of some places, in order, up to a limit for each."""
        return await self._logs.after(places, limit)


def _pretty(stored: str | None) -> str | None:
    if stored is None:
        return None
    return json.dumps(for_people(stored), indent=2, ensure_ascii=False)


def _waited(row: Row) -> float | None:
    if row["started_at"] is None:
        return None
    waited: timedelta = row["started_at"] - max(row["execute_at"], row["created_at"])
    return max(0.0, waited.total_seconds())


def _ran(row: Row, now: datetime) -> float | None:
    if row["started_at"] is None:
        return None
    ran: timedelta = (row["completed_at"] or now) - row["started_at"]
    return max(0.0, ran.total_seconds())


def _left(row: Row, ran: float | None) -> float | None:
    """Estimate the time left, as if the rest went on like the part that is done."""
    done: int = row["progress_percentage"]
    if ran is None or not 0 < done < 100:
        return None
    return ran * (100 - done) / done
