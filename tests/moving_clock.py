"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

_START: Final = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


class MovingClock:
    """Time that stands still until it is moved."""

    def __init__(self, start: datetime = _START) -> None:
        self.time = start
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, by: timedelta) -> None:
        self.time += by
        self.seconds += by.total_seconds()
