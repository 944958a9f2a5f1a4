"""A clock whose time of day stands still until a test moves it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class MovableClock:
    """Implements `Clock`: the time of day stands still, the monotonic clock runs.

    Moving the time of day ahead moves the monotonic clock with it, so that everything that depends
    on time sees the span pass. What runs on real time, such as a wait of the event loop, does not.

    Args:
        start: the time of day at the beginning, with a time zone; the present one unless given.

    """

    def __init__(self, start: datetime | None = None) -> None:
        self._now = _in_utc(start or datetime.now(UTC))
        self._ahead = 0.0
        self._watchers: list[Callable[[timedelta], object]] = []

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return the monotonic clock of this machine, ahead by all that the clock was moved."""
        return time.monotonic() + self._ahead

    def move(
        self,
        by: timedelta = timedelta(0),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        """Move ahead by a span, or by the sum of what is given.

        Args:
            by: a span.
            days: of 24 hours, also where the local time changes.
            hours: how many hours.
            minutes: how many minutes.
            seconds: how many seconds.

        Raises:
            ValueError: the span is negative; `move_to` sets the time of day back.

        """
        span = by + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if span < timedelta(0):
            msg = f"The clock cannot be moved by {span}: spans do not run backwards. Set the time "
            raise ValueError(msg + "of day back by `move_to`.")
        self._move(self._now + span)

    def move_to(self, moment: datetime) -> None:
        """Move to a moment; to an earlier one as when somebody sets the time of day back.

        Args:
            moment: a datetime with a time zone.

        Raises:
            ValueError: it has no time zone.

        """
        self._move(_in_utc(moment))

    def on_move(self, watcher: Callable[[timedelta], object]) -> None:
        """Call a function after each move, with the span; for parts that have to hear of it.

        Args:
            watcher: called in the thread that moves the clock.

        """
        self._watchers.append(watcher)

    def _move(self, moment: datetime) -> None:
        span, self._now = moment - self._now, moment
        self._ahead += max(0.0, span.total_seconds())
        for watcher in self._watchers:
            watcher(span)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        msg = f"{moment!r} has no time zone: add one, as in `datetime(2026, 3, 29, tzinfo=UTC)`."
        raise ValueError(msg)
    return moment.astimezone(UTC)
