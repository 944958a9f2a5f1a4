"""All that the page of one job tells."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from modhost_background_jobs.client.querying import attempts_of
from modhost_background_jobs.contracts import JobAttempt, JobNotFound, JobState
from modhost_background_jobs.model.job_data import for_people
from modhost_background_jobs.monitoring.snapshot import Snapshot, Snapshots
from modhost_background_jobs.monitoring.timeline import Event, ran, time_left, timeline
from modhost_background_jobs.monitoring.waiting import Waiting, why_waiting
from modhost_background_jobs.queries.listing import JobListing, Row
from modhost_background_jobs.queries.logs import JobLogs, Place

LOG_LINES: Final = 300

LogRow = Row
"""A line of a log: `job_id`, `line`, `logged_at`, `message`."""


@dataclass(frozen=True, slots=True)
class InspectedJob:
    """A job as its page shows it: equal to another one that would be shown the same.

    `ran` is in seconds, `left` in words; `data` and `log` are there for the whole page only.
    """

    row: Row
    state: JobState
    attempts: Sequence[JobAttempt]
    events: Sequence[Event]
    why_waiting: Waiting | None
    ran: float | None
    left: str | None
    data: str | None = None
    log: Sequence[Row] = ()

    @property
    def is_stopping(self) -> bool:
        """Tell whether a running job was asked to stop."""
        return self.row["cancel_requested_at"] is not None


class JobInspection:
    """Reads single jobs with everything about them."""

    def __init__(self, listing: JobListing, logs: JobLogs, snapshots: Snapshots) -> None:
        self._listing = listing
        self._logs = logs
        self._snapshots = snapshots

    async def inspect(self, job_id: UUID, words: str | None = None) -> InspectedJob:
        """Return a job with the end of its log, or with the lines that have certain words.

        Raises `JobNotFound`.
        """
        found = await self._listing.with_attempts(job_id)
        if found is None:
            raise JobNotFound(job_id)
        row, earlier = found
        return _inspected(
            row,
            attempts_of(row, earlier),
            await self._snapshots.take(),
            data=_pretty(row["data"]),
            log=await self._logs.newest(job_id, LOG_LINES, words),
        )

    async def look(
        self, ids: Collection[UUID], snapshot: Snapshot, known: Mapping[UUID, InspectedJob]
    ) -> dict[UUID, InspectedJob]:
        """Return what is live of those jobs that there are, in a statement or two.

        Of a job whose row is as it is known nothing more is read.
        """
        rows = await self._listing.many(ids)
        changed = [id_ for id_, row in rows.items() if id_ not in known or known[id_].row != row]
        earlier = await self._listing.attempts_of(changed) if changed else {}
        attempts = {id_: known[id_].attempts for id_ in rows if id_ in known}
        attempts |= {id_: attempts_of(rows[id_], earlier.get(id_, [])) for id_ in changed}
        return {id_: _inspected(row, attempts[id_], snapshot) for id_, row in rows.items()}

    async def log_after(
        self, places: Collection[Place], limit: int
    ) -> dict[Place, Sequence[LogRow]]:
        """Return the lines that were logged after each place, up to a limit for each."""
        return await self._logs.after(places, limit)


def _inspected(
    row: Row,
    attempts: Sequence[JobAttempt],
    snapshot: Snapshot,
    *,
    data: str | None = None,
    log: Sequence[Row] = (),
) -> InspectedJob:
    return InspectedJob(
        row=row,
        state=JobState(row["state"]),
        attempts=attempts,
        events=timeline(row, attempts, snapshot.now),
        why_waiting=why_waiting(row, snapshot),
        ran=ran(row),
        left=time_left(row, snapshot.now),
        data=data,
        log=log,
    )


def _pretty(stored: str | None) -> str | None:
    if stored is None:
        return None
    return json.dumps(for_people(stored), indent=2, ensure_ascii=False)
