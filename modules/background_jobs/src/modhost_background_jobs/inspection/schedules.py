"""Schedules as their page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from modhost import Clock
from modhost_background_jobs.contracts import (
    InvalidCronExpression,
    JobNotFound,
    RecurringJobId,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import JobRow, ScheduleRow
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.schedules import RecurringSchedules

UPCOMING: Final = 5
LATEST: Final = 20


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule; `upcoming` is in its own zone, `late_since` the due time that did not fire."""

    row: ScheduleRow
    words: str
    upcoming: Sequence[datetime]
    runs: Sequence[JobRow]
    late_since: datetime | None


class Schedules:
    """Reads schedules with their next due times and their latest runs."""

    def __init__(self, schedules: RecurringSchedules, listing: JobListing, clock: Clock) -> None:
        self._schedules = schedules
        self._listing = listing
        self._clock = clock

    async def all(self) -> list[ScheduleView]:
        """Return all schedules by name."""
        rows = await self._schedules.all()
        runs = await self._listing.latest_runs([row.id for row in rows], LATEST)
        now = self._clock.now()
        return [
            ScheduleView(row, *_describe(row, now), runs[row.id], row.late_since(now))
            for row in rows
        ]

    async def find(self, recurring_id: RecurringJobId) -> ScheduleView:
        """Return one schedule. Raises `JobNotFound`."""
        for view in await self.all():
            if view.row.id == recurring_id:
                return view
        raise JobNotFound(recurring_id, "recurring job")


def _describe(row: ScheduleRow, now: datetime) -> tuple[str, list[datetime]]:
    """Return a schedule in words and its next times, in its own zone."""
    try:
        schedule = CronSchedule.parse(row.cron_expression, row.time_zone)
    except (InvalidCronExpression, UnknownTimeZone) as error:
        return f"Cannot fire: {error}", []
    zone = ZoneInfo(row.time_zone)
    upcoming = schedule.upcoming(now, UPCOMING) if row.is_enabled else []
    return schedule.describe(), [moment.astimezone(zone) for moment in upcoming]
