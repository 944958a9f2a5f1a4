"""How long a job waits for its next attempt."""

import random
from datetime import datetime, timedelta
from typing import Final

JITTER: Final = 0.25
LONGEST: Final = timedelta(days=36500)
"""No wait is longer, since a date has to be named."""


def backoff(failures: int, base: timedelta, longest: timedelta) -> timedelta:
    """Return the wait after so many failures: doubled each time, bounded, with jitter."""
    doublings: int = 2 ** min(max(failures, 1) - 1, 20)
    seconds = min(longest.total_seconds(), base.total_seconds() * doublings)
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not for secrets
    return timedelta(seconds=min(LONGEST.total_seconds(), seconds * jitter))


def after(now: datetime, wait: timedelta) -> datetime:
    """Return the time after a wait, which is cut to what is neither over nor out of reach."""
    return now + min(LONGEST, max(timedelta(0), wait))
