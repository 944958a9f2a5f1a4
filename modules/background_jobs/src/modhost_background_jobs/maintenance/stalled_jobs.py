"""The stalled-job sweeper: tells dead workers from slow ones, and takes their jobs back."""

import logging
from collections.abc import Iterable
from typing import Final

from modhost.clock import Clock
from modhost.module import PeriodicService
from modhost_background_jobs.model import Heartbeat, is_bulk_runner
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore

logger = logging.getLogger(__name__)

LONGEST_GAP: Final = 1.5
"""How many intervals may lie between two looks, or two beats, that nothing came between."""


class StallObserver:
    """Judges by what it saw itself: a worker whose beats stand still for the timeout is dead.

    Neither the clocks of other machines nor a jump of the wall clock can mislead it. Time in which
    it did not look (a suspended machine, a database that was away) is no silence that it heard, and
    does not count.
    """

    def __init__(self, timeout: float, longest_gap: float) -> None:
        self._timeout = timeout
        self._longest_gap = longest_gap
        self._seen: dict[str, tuple[int, float]] = {}
        self._last_look: float | None = None

    def forget(self) -> None:
        """Begin to observe anew, since the silence of all may have had one cause."""
        self._seen.clear()

    def stalled(self, heartbeats: Iterable[Heartbeat], now: float) -> list[Heartbeat]:
        """Return the workers whose beats have not changed for the timeout; `now` is monotonic."""
        gap = 0.0 if self._last_look is None else now - self._last_look
        heard = gap if gap <= self._longest_gap else 0.0
        self._last_look = now
        observed = {}
        for worker, beats in heartbeats:
            before, silence = self._seen.get(worker, (None, 0.0))
            observed[worker] = (beats, silence + heard if before == beats else 0.0)
        self._seen = observed
        return [
            Heartbeat(worker, beats)
            for worker, (beats, silence) in observed.items()
            if silence >= self._timeout
        ]


class StalledJobSweeperService(PeriodicService):
    """Looks at all workers at an interval; any number of consumers may do so at once."""

    name = "stalled-job sweeper"
    failure = "The sweep for stalled jobs failed (%s); it is tried again."

    def __init__(self, store: JobStore, options: BackgroundJobsOptions, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.interval = options.stall_sweep_interval.total_seconds()
        self._max_rescues = options.max_rescues
        self._observer = StallObserver(
            options.stall_timeout.total_seconds(), LONGEST_GAP * self.interval
        )
        self._own: str | None = None
        self._pulse = StallObserver(
            LONGEST_GAP * options.heartbeat_interval.total_seconds(), LONGEST_GAP * self.interval
        )

    def of_worker(self, worker: str) -> None:
        """Tell which worker's process this is."""
        self._own = worker

    async def step(self) -> None:
        """Rescue the jobs of every worker found dead."""
        try:
            heartbeats = await self._heartbeats()
        except Exception:
            # Who could not be looked at could perhaps not be heard of either.
            self._observer.forget()
            raise
        for dead in self._dead(heartbeats, self._clock.monotonic()):
            rescued = await self._store.rescue(dead, self._max_rescues, self._clock.now())
            for rescue in rescued:
                logger.warning(
                    "Worker %s is dead: its job %s is %s now.",
                    rescue.worker,
                    rescue.job_id,
                    rescue.state.value,
                )

    async def _heartbeats(self) -> list[Heartbeat]:
        return await self._store.heartbeats()

    def _dead(self, heartbeats: list[Heartbeat], now: float) -> list[Heartbeat]:
        own = [each for each in heartbeats if each.worker == self._own]
        # A heart that beats on a thread of its own and is not heard of proves that nobody can
        # write just now, as when SQLite's one writer is at it for long.
        if self._pulse.stalled(own, now):
            self._observer.forget()
        stalled = self._observer.stalled(heartbeats, now)
        return [each for each in stalled if each.worker != self._own]


class BulkSweeperService(StalledJobSweeperService):
    """Takes back the operations of hosts that died, and no other jobs: for hosts that run none."""

    name = "sweeper of operations"

    async def _heartbeats(self) -> list[Heartbeat]:
        return [each for each in await super()._heartbeats() if is_bulk_runner(each.worker)]
