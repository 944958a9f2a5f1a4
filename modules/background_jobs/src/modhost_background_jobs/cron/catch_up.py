"""Catch-up: which of the due times fire that passed while no worker ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from modhost_background_jobs.contracts import CatchUpPolicy
from modhost_background_jobs.cron.schedule import CronSchedule

MAX_RUNS: Final = 100
MAX_COUNTED: Final = 500
LATE_IS_NOT_MISSED: Final = timedelta(minutes=1)

# Looked through in turn, so that the newest times of a schedule by the minute are found without
# expanding the months before them, and those of a yearly one all the same.
_WINDOWS: Final = tuple(timedelta(hours=hours) for hours in (1, 24, 32 * 24, 370 * 24, 9000 * 24))


@dataclass(frozen=True, slots=True)
class Missed:
    """Due times that never fire: the first, the last, and how many, counted up to a bound."""

    first: datetime
    last: datetime
    count: int
    is_bounded: bool

    def __str__(self) -> str:
        """Return when they were, and how many."""
        span = f"from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"
        if self.first == self.last:
            span = f"at {self.first:%Y-%m-%d %H:%M} UTC"
        more = " or more" if self.is_bounded else ""
        return f"{span}, {self.count}{more} due time{'s'[: self.count - 1]}"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The due times that fire, oldest first, and those before them that do not."""

    times: Sequence[datetime]
    missed: Missed | None

    @property
    def last(self) -> datetime | None:
        """The last of all of them; None without any."""
        if self.times:
            return self.times[-1]
        return None if self.missed is None else self.missed.last


def catch_up(
    schedule: CronSchedule, first_due: datetime, now: datetime, policy: CatchUpPolicy
) -> CatchUp:
    """Return what becomes of `first_due`, and of the due times after it until now.

    `first_due` is one whatever the schedule says: it may have been edited since, or the host that
    stored it have other rules of the zone. A time that passed less than a minute ago is late, not
    missed: no policy drops it.
    """
    wanted = MAX_RUNS if policy is CatchUpPolicy.ALL else 1
    due = _newest(schedule, first_due, now, wanted + 1)
    times = due[-wanted:]
    if policy is CatchUpPolicy.NONE:
        times = [time for time in times if now - time <= LATE_IS_NOT_MISSED]
    dropped = due[: len(due) - len(times)]
    return CatchUp(times, _missed(schedule, first_due, dropped[-1]) if dropped else None)


def all_missed(schedule: CronSchedule, first_due: datetime, now: datetime) -> Missed:
    """Return `first_due` and all due times after it until now, as if none of them had fired."""
    return _missed(schedule, first_due, _newest(schedule, first_due, now, 1)[-1])


def _missed(schedule: CronSchedule, first_due: datetime, last: datetime) -> Missed:
    count = 1 + len(schedule.due_between(first_due, last, MAX_COUNTED))
    return Missed(first_due, last, min(count, MAX_COUNTED), count > MAX_COUNTED)


def _newest(
    schedule: CronSchedule, first_due: datetime, now: datetime, wanted: int
) -> list[datetime]:
    for window in _WINDOWS:
        since = max(first_due, now - window)
        most_in_window = int(window / timedelta(minutes=1)) + 1
        due = schedule.due_between(since, now, most_in_window)
        if len(due) >= wanted:
            return due[-wanted:]
        if since == first_due:
            break
    return [first_due, *due]
