"""Which due times fire after a time without any consumer."""

from datetime import datetime, timedelta
from typing import Final

from modhost_background_jobs.contracts.scheduling import CatchUpPolicy
from modhost_background_jobs.queue.cron import CronSchedule

MOST_RUNS: Final = 100
LATE_IS_NOT_MISSED: Final = timedelta(minutes=1)

# Looked through in turn, so that the newest times of a schedule by the minute are found without
# expanding the months before them, and those of a yearly one all the same.
_WINDOWS: Final = tuple(timedelta(hours=hours) for hours in (1, 24, 32 * 24, 370 * 24, 9000 * 24))


def times_to_fire(
    schedule: CronSchedule, first_due: datetime, now: datetime, policy: CatchUpPolicy
) -> list[datetime]:
    """Return the due times between `first_due` and now that fire, oldest first.

    A time that passed less than a minute ago is late, not missed: no policy drops it.
    """
    wanted = MOST_RUNS if policy is CatchUpPolicy.ALL else 1
    due = _newest(schedule, first_due, now, wanted)
    if policy is CatchUpPolicy.NONE:
        return [time for time in due if now - time <= LATE_IS_NOT_MISSED]
    return due


def _newest(
    schedule: CronSchedule, first_due: datetime, now: datetime, wanted: int
) -> list[datetime]:
    before_first = first_due - timedelta(microseconds=1)
    for window in _WINDOWS:
        since = max(before_first, now - window)
        most_in_window = int(window / timedelta(minutes=1)) + 1
        due = schedule.due_between(since, now, most_in_window)
        if len(due) >= wanted or since == before_first:
            break
    return due[-wanted:]
