"""Whether a clock can be believed by which history is deleted."""

from datetime import datetime, timedelta


class Belief:
    """Doubts a time that has leapt ahead of the time that has passed, until it has stood for long.

    A leap is what makes much of the history old at once: half of the time for which it is kept. A
    machine that was off for so long looks the same as one whose clock is wrong; both are believed
    after `patience`.
    """

    def __init__(self, kept: timedelta, patience: timedelta) -> None:
        self._most = kept / 2
        self.patience = patience
        """How long a leap is doubted."""
        self._believed: tuple[datetime, float] | None = None
        self._doubts_since: float | None = None

    def begin(self, time: datetime, monotonic: float) -> None:
        """Believe a time, as it was at this moment of the monotonic clock."""
        self._believed = (time, monotonic)
        self._doubts_since = None

    def leap(self, now: datetime, monotonic: float) -> timedelta | None:
        """Return how far the time is ahead of what is believed; None when it is believed."""
        if self._believed is not None:
            before, then = self._believed
            ahead = now - before - timedelta(seconds=monotonic - then)
            if ahead > self._most and not self._has_stood(monotonic):
                return ahead
        self.begin(now, monotonic)
        return None

    def _has_stood(self, monotonic: float) -> bool:
        if self._doubts_since is None:
            self._doubts_since = monotonic
        return monotonic - self._doubts_since >= self.patience.total_seconds()
