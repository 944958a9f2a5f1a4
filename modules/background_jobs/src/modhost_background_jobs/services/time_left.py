"""How long a running job may still take: from what it has reported, roughly."""

from datetime import datetime
from typing import Final

from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue.listing import Row

LEAST_DONE: Final = 2
LEAST_SECONDS: Final = 5
_MINUTE: Final = 60
_HOUR: Final = 3600


def time_left(row: Row, now: datetime) -> str | None:
    """Return the time left in words, as if the rest went on like the part that is done.

    It counts from the moment at which the percentage was reported: until the next one it falls.
    None while little is done, or when it has taken longer than estimated.
    """
    reported_at = row["progress_at"]
    if row["state"] != JobState.RUNNING or reported_at is None or reported_at < row["started_at"]:
        return None
    done: int = row["progress_percentage"]
    took = (reported_at - row["started_at"]).total_seconds()
    if not LEAST_DONE <= done < 100 or took < LEAST_SECONDS:
        return None
    left = took * (100 - done) / done - (now - reported_at).total_seconds()
    return _rounded(left) if left > 0 else None


def _rounded(seconds: float) -> str:
    if seconds < LEAST_SECONDS:
        return "a few seconds"
    if seconds < _MINUTE:
        return f"about {max(10, 10 * round(seconds / 10))} s"
    if seconds < 1.5 * _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {round(seconds / _HOUR)} h"
