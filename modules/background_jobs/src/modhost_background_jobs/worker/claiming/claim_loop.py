"""Where in the order of due times a worker's next claim begins to look."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import anyio

from modhost.clock import Clock
from modhost_background_jobs.model import START, ClaimedJob, Place
from modhost_background_jobs.storage import JobStore, Wakeups, wait_for
from modhost_background_jobs.worker.claiming.slots import Slots

ANEW_SECONDS: Final = 0.5


class ClaimCursor:
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


logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
QUIET_SECONDS: Final = 0.05
MIN_PAUSE_SECONDS: Final = 0.003
OTHERS_SECONDS: Final = 0.005


class ClaimLoop:
    """Claims for one worker.

    Between claims it sleeps until it is woken, until the next job falls due, or for the poll
    interval. When the next job falls due is looked up only after something has changed, and once
    nothing has for a moment. Wake-ups that come in quick succession share a claim.
    """

    def __init__(
        self,
        worker: str,
        job_types: tuple[str, ...],
        store: JobStore,
        wakeups: Wakeups,
        clock: Clock,
        poll_interval: float,
    ) -> None:
        self._worker = worker
        self._job_types = job_types
        self._store = store
        self._wakeups = wakeups
        self._clock = clock
        self._poll_interval = poll_interval
        self._cursor = ClaimCursor()
        self._next_due: datetime | None = None
        self._knows_next_due = False
        self.in_flight = False
        """Whether a claim is under way, whose jobs nobody here knows yet."""
        self.begun = 0
        """How many claims have begun."""
        self.failures = 0
        """How many claims failed, which may have been committed all the same."""

    async def run(self, slots: Slots, start: Callable[[list[ClaimedJob]], None]) -> None:
        """Claim what there is room for until cancelled; `start` takes what was claimed."""
        failures = 0
        while True:
            ticket = self._wakeups.work.ticket()
            room = await slots.room()
            try:
                place = self._cursor.next(self._clock.monotonic())
                began = self._clock.monotonic()
                claimed = await self._claim(room, place)
                self._cursor.note(claimed, room)
                start(claimed)
                if claimed:
                    self._knows_next_due = False
                if len(claimed) < room and place is START:
                    await self._rest(ticket, began)
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever the driver says, it is tried again
                seconds = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                self._knows_next_due = False
                logger.warning("Could not claim jobs (%s); next try in %s s.", error, seconds)
                await anyio.sleep(seconds)

    async def _claim(self, limit: int, after: Place) -> list[ClaimedJob]:
        # Shielded: what the database has handed out must become known here.
        self.in_flight = True
        self.begun += 1
        try:
            with anyio.CancelScope(shield=True):
                claimed = await self._store.claim(
                    self._worker, self._job_types, limit, self._clock.now(), after
                )
        except Exception:
            self.failures += 1
            raise
        finally:
            self.in_flight = False
        return claimed

    async def _rest(self, ticket: anyio.Event, began: float) -> None:
        """Sleep until there may be something to claim, after a claim that began so."""
        until_due = self._seconds_until_due()
        if not self._knows_next_due or until_due <= 0:
            quiet = min(QUIET_SECONDS, until_due if until_due > 0 else self._poll_interval)
            self._knows_next_due = not await wait_for(ticket, quiet)
            if self._knows_next_due:
                self._next_due = await self._store.next_due(self._job_types)
        # A job that is due and was not claimed is being claimed by another worker.
        if await wait_for(ticket, max(OTHERS_SECONDS, self._seconds_until_due())):
            self._knows_next_due = False
            passed = self._clock.monotonic() - began
            await anyio.sleep(max(0.0, MIN_PAUSE_SECONDS - passed))

    def _seconds_until_due(self) -> float:
        """How long to sleep for the job that is due next, and for the poll interval at the most."""
        if self._next_due is None:
            return self._poll_interval
        until_due = (self._next_due - self._clock.now()).total_seconds()
        return min(self._poll_interval, until_due)
