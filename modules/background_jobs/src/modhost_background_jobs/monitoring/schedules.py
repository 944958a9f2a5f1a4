"""Schedules as their page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from modhost.clock import Clock
from modhost_background_jobs.contracts import (
    InvalidCronExpression,
    JobNotFound,
    RecurringJobId,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.queries.schedule_runs import RecurringRuns
from modhost_background_jobs.queue.schedules import RecurringSchedules, Row

UPCOMING: Final = 5
LATEST: Final = 20
_LATE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule; `upcoming` is in its own zone, `late_since` set when it was due and is not."""

    row: Row
    words: str
    upcoming: Sequence[datetime]
    runs: Sequence[Row]
    late_since: datetime | None


class Schedules:
    """Reads schedules with what is to come and what was."""

    def __init__(self, schedules: RecurringSchedules, runs: RecurringRuns, clock: Clock) -> None:
        self._schedules = schedules
        self._runs = runs
        self._clock = clock

    async def all(self) -> list[ScheduleView]:
        """Return all schedules by name."""
        rows = await self._schedules.all()
        runs = await self._runs.latest([row["id"] for row in rows], LATEST)
        return [self._view(row, runs.get(row["id"], [])) for row in rows]

    async def find(self, recurring_id: RecurringJobId) -> ScheduleView:
        """Return one schedule. Raises `JobNotFound`."""
        for view in await self.all():
            if view.row["id"] == recurring_id:
                return view
        raise JobNotFound(recurring_id, "recurring job")

    def _view(self, row: Row, runs: Sequence[Row]) -> ScheduleView:
        now = self._clock.now()
        words, upcoming = _told(row, now)
        due = row["next_run_at"]
        is_late = row["is_enabled"] and due is not None and due < now - _LATE
        return ScheduleView(
            row=row,
            words=words,
            upcoming=upcoming,
            runs=runs,
            late_since=due if is_late else None,
        )


def _told(row: Row, now: datetime) -> tuple[str, list[datetime]]:
    """Return a schedule in words and its next times, in its own zone."""
    try:
        schedule = CronSchedule.parse(row["cron_expression"], row["time_zone"])
    except (InvalidCronExpression, UnknownTimeZone) as error:
        return f"Cannot fire: {error}", []
    zone = ZoneInfo(row["time_zone"])
    upcoming = schedule.upcoming(now, UPCOMING) if row["is_enabled"] else []
    return schedule.describe(), [moment.astimezone(zone) for moment in upcoming]
