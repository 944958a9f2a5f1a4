"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


class MovingClock:
    """Implements `Clock`; setting `time` moves the time of day alone."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self.reset()

    def reset(self) -> None:
        """Go back to the start."""
        self.time = self._start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, by: timedelta | float) -> None:
        """Move both clocks by a time span, or by seconds."""
        span = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self.time += span
        self._monotonic += span.total_seconds()

    def heartbeat_time(self) -> datetime:
        return self.time

    async def agrees(self) -> bool:
        """Decide for other hosts, as a `GuardedClock` that is right."""
        return True
