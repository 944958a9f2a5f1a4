"""Compare what runs here with the leases in the database: stop requests, lost leases and claims."""

import logging
from collections.abc import Collection
from typing import Final

import anyio

from modhost.failures import failures
from modhost_background_jobs.model import Lease, Released
from modhost_background_jobs.storage import JobStore, QueueClock, Wakeups, wait_for
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry, StopReason
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts

logger = logging.getLogger(__name__)

POLL: Final = "The poll for requests to stop"
POLL_INTERVAL: Final = 1.0
MIN_PAUSE_SECONDS: Final = 0.1
IDLE_POLL_INTERVAL: Final = 15.0
WARY_SECONDS: Final = 10.0
"""How long after a failed claim an idle worker polls for jobs that it got all the same."""


class LeaseWatch:
    """Stops attempts that were cancelled anywhere, or whose lease is lost."""

    def __init__(self, store: JobStore, wakeups: Wakeups) -> None:
        self._store = store
        self._wakeups = wakeups

    async def run(self, worker: str, attempts: AttemptRegistry) -> None:
        """Poll when something may have changed, at least once a second, until cancelled."""
        while True:
            ticket = self._wakeups.stop_requests.ticket()
            try:
                await self.poll(worker, attempts)
                failures.passed(POLL)
            except Exception as error:  # noqa: BLE001 - whatever the driver says, it polls again
                failures.failed(logger, POLL, error)
            await anyio.sleep(MIN_PAUSE_SECONDS)
            await wait_for(ticket, POLL_INTERVAL - MIN_PAUSE_SECONDS)

    async def poll(self, worker: str, attempts: AttemptRegistry) -> Collection[Lease]:
        """Stop what was cancelled or lost; return the worker's leases."""
        # Copied first: an attempt that is claimed during the read is not lost for missing in it.
        known = list(attempts)
        leases = await self._store.leases(worker)
        for attempt in known:
            is_to_stop = leases.get(attempt.lease)
            if is_to_stop is None:
                if not await self._has_ended_itself(attempt):
                    attempt.stop(StopReason.LOST_LEASE)
            elif is_to_stop:
                attempt.stop(StopReason.CANCELLED)
        return leases

    async def _has_ended_itself(self, attempt: Attempt) -> bool:
        return attempt.ends_itself and bool(await self._store.completed([attempt.lease]))


class LostClaims:
    """Finds the jobs of claims whose answer was lost, also when such a claim commits much later.

    Such a job is unknown here in two reads, and the claim that was under way at the first of them
    has finished at the second: what it has claimed is known by then.
    """

    def __init__(self, claims: ClaimLoop) -> None:
        self._claims = claims
        self._unknown: set[Lease] = set()
        self._claims_begun = 0

    def among(self, leases: Collection[Lease], attempts: AttemptRegistry) -> list[Lease]:
        """Return those of the leases, as they were just read, that belong to no attempt."""
        unknown = {lease for lease in leases if lease not in attempts}
        if self._claims.in_flight and self._claims.begun == self._claims_begun:
            # It may still be the claim of that read; those that were unknown then stay so.
            self._unknown &= unknown
            return []
        lost = self._unknown & unknown
        self._unknown = unknown - lost
        self._claims_begun = self._claims.begun
        return sorted(lost)


class WorkerWatch(LeaseWatch):
    """Watches the leases of a consumer, which may hold some that it does not know of."""

    def __init__(
        self,
        store: JobStore,
        wakeups: Wakeups,
        claims: ClaimLoop,
        unresponsive: UnresponsiveAttempts,
        clock: QueueClock,
    ) -> None:
        super().__init__(store, wakeups)
        self._claims = claims
        self._lost_claims = LostClaims(claims)
        self._unresponsive = unresponsive
        self._clock = clock
        self._polled_at = 0.0
        self._failures_seen = 0
        self._wary_until = 0.0

    async def poll(self, worker: str, attempts: AttemptRegistry) -> Collection[Lease]:
        """Stop what was cancelled or lost, and release jobs of claims whose answer was lost."""
        self._unresponsive.check(attempts)
        if not len(attempts) and not self._is_idle_poll_due():
            return ()
        self._polled_at = self._clock.monotonic()
        leases = await super().poll(worker, attempts)
        if lost := self._lost_claims.among(leases, attempts):
            now = self._clock.now()
            await self._store.release([Released(lease) for lease in lost], now)
            logger.warning("Released %d jobs whose claim had been cut off.", len(lost))
        return leases

    def _is_idle_poll_due(self) -> bool:
        """Return whether to poll without attempts: soon after a failed claim, else rarely."""
        now = self._clock.monotonic()
        if self._claims.failures != self._failures_seen:
            self._failures_seen = self._claims.failures
            self._wary_until = now + WARY_SECONDS
        return now < self._wary_until or now - self._polled_at >= IDLE_POLL_INTERVAL
