"""Where claims begin."""

from collections.abc import Sequence
from typing import Final

from modhost_background_jobs.model import START, ClaimedJob, Place

RESTART_SECONDS: Final = 0.5


class ClaimCursor:
    """Where the next claim begins, in the order of due times.

    After a claim that found all it had room for there is more, most likely, and the next one goes
    on where it ended. A job that is due earlier and was committed later stands before that place:
    every `RESTART_SECONDS`, and whenever a claim finds too little, the next one starts over.
    """

    def __init__(self) -> None:
        self._place = START
        self._started_at: float | None = None

    def next(self, now: float) -> Place:
        """Return where the claim that begins now starts; `now` is monotonic."""
        if self._started_at is None or now - self._started_at >= RESTART_SECONDS:
            self._place = START
        if self._place is START:
            self._started_at = now
        return self._place

    def note(self, claimed: Sequence[ClaimedJob], limit: int) -> None:
        """Move to where the claim ended."""
        if len(claimed) < limit:
            self._place = START
        else:
            last = claimed[-1]
            self._place = Place(last.execute_at, last.lease.job_id)
