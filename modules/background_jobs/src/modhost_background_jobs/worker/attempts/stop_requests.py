"""Telling running attempts to stop: cancelled somewhere, or no longer this worker's."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import anyio

from modhost.clock import Clock
from modhost_background_jobs.model import Lease, Released
from modhost_background_jobs.storage import JobStore, Wakeups, wait_for
from modhost_background_jobs.worker.attempts.attempt import AttemptRegistry, StopReason
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.lost_claims import LostClaims

logger = logging.getLogger(__name__)

POLL_INTERVAL: Final = 1.0
MIN_PAUSE_SECONDS: Final = 0.1
IDLE_POLL_INTERVAL: Final = 15.0
WARY_SECONDS: Final = 10.0


class StopRequests:
    """Compares what runs here with what the database says is this worker's."""

    def __init__(
        self,
        worker: str,
        store: JobStore,
        wakeups: Wakeups,
        running: AttemptRegistry,
        claims: ClaimLoop,
        tend: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._worker = worker
        self._store = store
        self._wakeups = wakeups
        self._running = running
        self._claims = claims
        self._orphans = LostClaims(claims, running)
        self._tend = tend
        self._clock = clock
        self._looked_at = 0.0
        self._failures_seen = 0
        self._wary_until = 0.0

    async def watch(self) -> None:
        """Look whenever something may have changed, once a second at least, until cancelled."""
        while True:
            ticket = self._wakeups.stop_requests.ticket()
            self._tend()
            try:
                if len(self._running) or self._is_look_due():
                    await self.look()
            except Exception as error:  # noqa: BLE001 - whatever the driver says, it looks again
                logger.warning("Could not look for requests to stop (%s).", error)
            await anyio.sleep(MIN_PAUSE_SECONDS)
            await wait_for(ticket, POLL_INTERVAL - MIN_PAUSE_SECONDS)

    async def look(self) -> None:
        """Stop what was cancelled or lost, and give back what this worker does not know of."""
        # Before the look: a job that is claimed meanwhile is not lost for being unknown to it.
        attempts = list(self._running)
        self._looked_at = self._clock.monotonic()
        leases = await self._store.leases(self._worker)
        for attempt in attempts:
            stop = leases.get(attempt.claimed.lease)
            if stop is None:
                attempt.stop(StopReason.LOST_LEASE)
            elif stop:
                attempt.stop(StopReason.CANCELLED)
        await self._give_back(self._orphans.among(leases))

    def _is_look_due(self) -> bool:
        """Whether to look though no job runs here: soon after a failed claim, else rarely."""
        now = self._clock.monotonic()
        if self._claims.failures != self._failures_seen:
            self._failures_seen = self._claims.failures
            self._wary_until = now + WARY_SECONDS
        return now < self._wary_until or now - self._looked_at >= IDLE_POLL_INTERVAL

    async def _give_back(self, orphans: Sequence[Lease]) -> None:
        """Release jobs that a claim handed out whose answer was lost on the way."""
        if not orphans:
            return
        now = self._clock.now()
        released = [Released(lease, now, error=None, spent=False) for lease in orphans]
        await self._store.release(released, now)
        logger.warning("Handed back %d jobs whose claim had been cut off.", len(orphans))
