"""How many jobs a worker holds beyond its slots: as many as have ended in the last moment."""

from typing import Final

MOMENT_SECONDS: Final = 0.1
MOST: Final = 200


class Pace:
    """Counts the attempts that end, in windows of a moment.

    A worker whose jobs take microseconds would spend its time on the way to the database if it
    fetched each one when a slot is free. One whose slots are all taken by long jobs holds none
    beyond them: another worker may have a slot for it.
    """

    def __init__(self) -> None:
        self._since = 0.0
        self._ended = 0
        self._ended_before = 0

    def note(self, now: float) -> None:
        """Count an attempt that ended now, by the monotonic clock."""
        self._move_to(now)
        self._ended += 1

    def ahead(self, now: float) -> int:
        """How many jobs to hold that wait for a slot."""
        self._move_to(now)
        return min(MOST, max(self._ended, self._ended_before))

    def _move_to(self, now: float) -> None:
        passed = now - self._since
        if passed >= MOMENT_SECONDS:
            self._ended_before = self._ended if passed < 2 * MOMENT_SECONDS else 0
            self._ended = 0
            self._since = now
