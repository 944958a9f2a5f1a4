"""The stalled-job sweeper: tells dead workers from slow ones, and takes their jobs back."""

import logging
from collections.abc import Iterable

import anyio
from anyio.abc import TaskStatus

from modhost.background import HostedService
from modhost.clock import Clock
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.records import Heartbeat
from modhost_background_jobs.queue.store import JobStore

logger = logging.getLogger(__name__)


class StallObserver:
    """Judges by what it saw itself: a worker whose beats stand still for the timeout is dead.

    Neither the clocks of other machines nor a jump of the wall clock can mislead it. After a pause
    of its own (a suspended machine, a stopped process) it starts to observe anew, since the others
    may have been paused as well.
    """

    def __init__(self, timeout: float, longest_pause: float) -> None:
        self._timeout = timeout
        self._longest_pause = longest_pause
        self._seen: dict[str, tuple[int, float]] = {}
        self._last_look: float | None = None

    def stalled(self, heartbeats: Iterable[Heartbeat], now: float) -> list[Heartbeat]:
        """Return the workers whose beats have not changed for the timeout; `now` is monotonic."""
        if self._last_look is not None and now - self._last_look > self._longest_pause:
            self._seen.clear()
        self._last_look = now
        observed = {}
        for worker, beats in heartbeats:
            before = self._seen.get(worker)
            unchanged = before is not None and before[0] == beats
            observed[worker] = before if before and unchanged else (beats, now)
        self._seen = observed
        return [
            Heartbeat(worker, beats)
            for worker, (beats, since) in observed.items()
            if now - since >= self._timeout
        ]


class StalledJobSweeperService(HostedService):
    """Looks at all workers at an interval; any number of consumers may do so at once."""

    name = "stalled-job sweeper"

    def __init__(self, store: JobStore, options: BackgroundJobsOptions, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._interval = options.stall_sweep_interval.total_seconds()
        self._max_rescues = options.max_rescues
        timeout = options.stall_timeout.total_seconds()
        self._observer = StallObserver(timeout, longest_pause=max(timeout, 3 * self._interval))

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Sweep until cancelled."""
        task_status.started()
        while True:
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - the next sweep may find the database again
                logger.warning("The sweep for stalled jobs failed (%s); it is tried again.", error)
            await anyio.sleep(self._interval)

    async def sweep(self) -> None:
        """Rescue the jobs of every worker found dead."""
        heartbeats = await self._store.heartbeats()
        for dead in self._observer.stalled(heartbeats, self._clock.monotonic()):
            rescued = await self._store.rescue(dead, self._max_rescues, self._clock.now())
            for rescue in rescued:
                logger.warning(
                    "Worker %s is dead: its job %s is %s now.",
                    rescue.worker,
                    rescue.job_id,
                    rescue.state.value,
                )
