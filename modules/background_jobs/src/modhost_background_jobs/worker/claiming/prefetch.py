"""How many jobs a worker claims ahead: no more than it can start soon."""

from typing import Final

WINDOW_SECONDS: Final = 0.1
MAX_PREFETCH: Final = 1000
FIRST_PER_SLOT: Final = 2
FREE_SHARE: Final = 4
"""Nothing is claimed ahead while long jobs leave no more than a fourth of the slots."""
SOON_SECONDS: Final = 0.25
"""A job that was claimed ahead starts within this time, or it was claimed too early."""
PAUSE_SECONDS: Final = (1.0, 60.0)
"""How long nothing is claimed ahead after that: twice as long each time, up to the second one."""


class Prefetch:
    """How many jobs a worker holds beyond its slots: as many as finished in the last moment.

    A worker whose jobs take microseconds would spend its time on round trips to the database if it
    fetched each one when a slot is free. One whose slots are nearly all taken by long jobs
    holds none beyond them: another worker may have a slot for it. Where long jobs and short ones
    mix, the last moment says little of the next one. What was held without a start in time does:
    then nothing is claimed ahead for a while, and afterwards one job more with each that ends.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._long = 0
        self._since = 0.0
        self._finished = 0
        self._finished_before = 0
        self._bound = FIRST_PER_SLOT * slots
        self._pause = 0.0
        self._paused_until = 0.0

    def note_long(self, count: int) -> None:
        """Note how many slots have had one job for a while."""
        self._long = count

    def note_delay(self, now: float) -> None:
        """Claim nothing ahead for a while: an attempt waits too long; `now` is monotonic."""
        if now < self._paused_until:
            return
        shortest, longest = PAUSE_SECONDS
        # A minute without a delay makes up for those before it.
        is_new = now - self._paused_until > longest
        self._pause = shortest if is_new else min(longest, 2 * self._pause)
        self._paused_until = now + self._pause
        self._bound = 0

    def note(self, now: float) -> None:
        """Count an attempt that finished now."""
        self._move_to(now)
        self._finished += 1
        if self._bound < MAX_PREFETCH:
            self._bound += 1

    def size(self, now: float) -> int:
        """Return how many jobs to hold that wait for a slot."""
        free = self._slots - self._long
        if now < self._paused_until or (self._long and free <= max(1, self._slots // FREE_SHARE)):
            return 0
        self._move_to(now)
        return min(self._bound, max(self._finished, self._finished_before))

    def _move_to(self, now: float) -> None:
        passed = now - self._since
        if passed >= WINDOW_SECONDS:
            self._finished_before = self._finished if passed < 2 * WINDOW_SECONDS else 0
            self._finished = 0
            self._since = now
