"""Where in the order of due times a worker's next claim begins to look."""

from collections.abc import Sequence
from typing import Final

from modhost_background_jobs.queue.records import START, ClaimedJob, Place

ANEW_SECONDS: Final = 0.5


class Frontier:
    """How far the claims have come.

    After a claim that found all it had room for there is more, most likely, and the next one goes
    on where it ended. A job that is due earlier and was committed later stands before that place:
    twice a second, and whenever a claim finds too little, the next one looks from the start.
    """

    def __init__(self) -> None:
        self._place = START
        self._looked_at: float | None = None

    def next(self, now: float) -> Place:
        """Return where the claim that begins now looks; `now` is monotonic."""
        if self._looked_at is None or now - self._looked_at >= ANEW_SECONDS:
            self._place = START
        if self._place is START:
            self._looked_at = now
        return self._place

    def note(self, claimed: Sequence[ClaimedJob], limit: int) -> None:
        """Learn what the claim found."""
        if len(claimed) < limit:
            self._place = START
        else:
            last = claimed[-1]
            self._place = Place(last.due_at, last.lease.job_id)
