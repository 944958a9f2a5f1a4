"""Schedules as their page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from modhost_background_jobs.contracts import JobNotFound, RecurringJobId
from modhost_background_jobs.model import JobRow, ScheduleRow
from modhost_background_jobs.model.schedule import ScheduleProblem
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import QueueClock

UPCOMING: Final = 5
LATEST: Final = 20


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule as it is shown.

    Attributes:
        words: its expression in words; None for one that cannot be read.
        upcoming: its next due times, in its own zone.
        runs: its latest runs, the oldest first.
        late_since: the due time that should have fired.
        problem: what is wrong with what is stored of it.

    """

    row: ScheduleRow
    words: str | None
    upcoming: Sequence[datetime]
    runs: Sequence[JobRow]
    late_since: datetime | None
    problem: ScheduleProblem | None


class Schedules:
    """Reads schedules with their next due times and their latest runs."""

    def __init__(
        self, schedules: RecurringSchedules, listing: JobListing, clock: QueueClock
    ) -> None:
        self._schedules = schedules
        self._listing = listing
        self._clock = clock

    async def all(self) -> list[ScheduleView]:
        """Return all schedules by name."""
        rows = await self._schedules.all()
        runs = await self._listing.latest_runs([row.id for row in rows], LATEST)
        now = self._clock.now()
        return [_view(row, runs[row.id], now) for row in rows]

    async def find(self, recurring_id: RecurringJobId) -> ScheduleView:
        """Return one schedule. Raises `JobNotFound`."""
        for view in await self.all():
            if view.row.id == recurring_id:
                return view
        raise JobNotFound(recurring_id, "recurring job")


def _view(row: ScheduleRow, runs: Sequence[JobRow], now: datetime) -> ScheduleView:
    problem, words, upcoming = row.problem, None, list[datetime]()
    if problem is None or problem.can_fire:
        words = row.schedule.describe()
        if row.is_enabled:
            zone = ZoneInfo(row.time_zone)
            due = {at for at in (row.next_run_at, *row.schedule.upcoming(now, UPCOMING)) if at}
            upcoming = [at.astimezone(zone) for at in sorted(due) if at > now][:UPCOMING]
    return ScheduleView(row, words, upcoming, runs, row.late_since(now), problem)
