"""The claim loop: jobs fetched when there is room and work, quiet when there is none."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

import anyio

from modhost.clock import Clock
from modhost_background_jobs.queue.records import START, ClaimedJob, Place
from modhost_background_jobs.queue.signals import wait_for
from modhost_background_jobs.queue.store import JobStore
from modhost_background_jobs.queue.wakeups import Wakeups
from modhost_background_jobs.worker.frontier import Frontier
from modhost_background_jobs.worker.slots import Slots

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)


class ClaimLoop:
    """Claims for one worker.

    Between claims it sleeps until it is woken, until the next job falls due, or for the poll
    interval; when the next job falls due is looked up only after something has changed.
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
        self._frontier = Frontier()
        self._next_due: datetime | None = None
        self.in_flight = False
        """Whether a claim is under way, whose jobs nobody here knows yet."""
        self.failed = False
        """Whether a claim failed, which may have been committed all the same."""

    async def run(self, slots: Slots, start: Callable[[list[ClaimedJob]], None]) -> None:
        """Claim what there is room for until cancelled; `start` takes what was claimed."""
        failures = 0
        woken = True
        while True:
            ticket = self._wakeups.work.ticket()
            room = await slots.room()
            try:
                place = self._frontier.next(self._clock.monotonic())
                claimed = await self._claim(room, place)
                self._frontier.note(claimed, room)
                start(claimed)
                if len(claimed) == room or place is not START:
                    woken = True
                    continue
                seconds = await self._seconds_to_sleep(look=woken or bool(claimed))
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever the driver says, it is tried again
                seconds = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                woken = True
                logger.warning("Could not claim jobs (%s); next try in %s s.", error, seconds)
                await anyio.sleep(seconds)
                continue
            woken = await wait_for(ticket, seconds)

    async def _claim(self, limit: int, after: Place) -> list[ClaimedJob]:
        # Shielded: what the database has handed out must become known here.
        self.in_flight = True
        try:
            with anyio.CancelScope(shield=True):
                claimed = await self._store.claim(
                    self._worker, self._job_types, limit, self._clock.now(), after
                )
        except Exception:
            self.failed = True
            raise
        finally:
            self.in_flight = False
        return claimed

    async def _seconds_to_sleep(self, *, look: bool) -> float:
        now = self._clock.now()
        if look or (self._next_due is not None and self._next_due <= now):
            self._next_due = await self._store.next_due(self._job_types)
        if self._next_due is None:
            return self._poll_interval
        until_due = (self._next_due - self._clock.now()).total_seconds()
        # A job that is due and was not claimed is being claimed by another worker.
        return min(self._poll_interval, max(0.005, until_due))
