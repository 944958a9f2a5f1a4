"""The stalled-job sweeper: distinguishes dead workers from slow ones, and rescues their jobs."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from modhost.failures import failures
from modhost.module import PeriodicService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import (
    UNREGISTERED,
    CurrentWorker,
    Heartbeat,
    is_bulk_runner,
    listed,
)
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, QueueClock

logger = logging.getLogger(__name__)

MAX_GAP: Final = 1.5
"""How many intervals may lie between two observations, or two heartbeats, in a healthy system."""


class StallObserver:
    """Judges by what it saw itself: a worker whose heartbeats stop for the timeout is dead.

    Neither the clocks of other machines nor a jump of the wall clock can mislead it. Time in which
    it observed nothing (a suspended machine, a database that was away) does not count as silence.
    """

    def __init__(self, timeout: float, max_gap: float) -> None:
        self._timeout = timeout
        self._max_gap = max_gap
        self._seen: dict[str, tuple[int, float]] = {}
        self._observed_at: float | None = None

    def reset(self) -> None:
        """Observe anew, since the silence of all may have had one cause."""
        self._seen.clear()

    def stalled(self, heartbeats: Iterable[Heartbeat], now: float) -> list[Heartbeat]:
        """Return the workers whose beats have not changed for the timeout; `now` is monotonic."""
        gap = 0.0 if self._observed_at is None else now - self._observed_at
        heard = gap if gap <= self._max_gap else 0.0
        self._observed_at = now
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
    """Rescues jobs of dead workers; any number of consumers may do so at once."""

    name = "stalled-job sweeper"
    failure = "The sweep for stalled jobs"

    def __init__(
        self,
        store: JobStore,
        own_worker: CurrentWorker,
        options: BackgroundJobsOptions,
        clock: QueueClock,
    ) -> None:
        self._store = store
        self._own_worker = own_worker
        self._clock = clock
        self.interval = options.stall_sweep_interval.total_seconds()
        self._max_rescues = options.max_rescues
        self._observer = StallObserver(
            options.stall_timeout.total_seconds(), MAX_GAP * self.interval
        )
        self._with_locked_jobs: set[str] = set()
        self.rescued: Counter[JobState] = Counter()
        """How many jobs were taken back, by the state that they got."""
        self._pulse = StallObserver(
            MAX_GAP * options.heartbeat_interval.total_seconds(), MAX_GAP * self.interval
        )

    async def step(self) -> None:
        """Rescue the jobs of every worker found dead."""
        try:
            heartbeats = await self._heartbeats()
        except Exception:
            # Workers whose heartbeats cannot be read could perhaps not send any either.
            self._observer.reset()
            raise
        for dead in self._dead(heartbeats, self._clock.monotonic()):
            what = f"The rescue of the jobs of {dead.worker}"
            try:
                await self._rescue_from(dead)
                failures.passed(what)
            except Exception as error:  # noqa: BLE001 - the jobs of the others are to run again too
                failures.failed(logger, what, error)

    async def _rescue_from(self, dead: Heartbeat) -> None:
        rescued = await self._store.rescue(dead, self._max_rescues, self._clock.now())
        jobs: defaultdict[tuple[str, str], list[UUID]] = defaultdict(list)
        for rescue in rescued:
            if rescue.state is JobState.RUNNING:
                self._with_locked_jobs.add(rescue.worker)
            else:
                self.rescued[rescue.state] += 1
                jobs[rescue.worker, rescue.state.value].append(rescue.job_id)
        for (worker, state), ids in jobs.items():
            logger.warning(
                "Worker %s is dead: %d of its jobs are %s now: %s.",
                worker,
                len(ids),
                state,
                listed(ids),
            )

    async def _heartbeats(self) -> list[Heartbeat]:
        return await self._store.heartbeats()

    def _dead(self, heartbeats: list[Heartbeat], now: float) -> list[Heartbeat]:
        own = [each for each in heartbeats if each.worker == self._own_worker.name]
        # When the heartbeats of this process, from a thread of their own, do not arrive, nobody
        # can write just now, as while SQLite's one writer holds its lock for long.
        if self._pulse.stalled(own, now):
            self._observer.reset()
        stalled = self._observer.stalled(heartbeats, now)
        left = [each for each in heartbeats if each in self._left_behind()]
        self._with_locked_jobs = {each.worker for each in left}
        found = dict.fromkeys([*stalled, *left])
        return [each for each in found if each.worker != self._own_worker.name]

    def _left_behind(self) -> set[Heartbeat]:
        """Return what is seen of dead workers of whose jobs some were locked."""
        return {Heartbeat(worker, UNREGISTERED) for worker in self._with_locked_jobs}


class BulkSweeperService(StalledJobSweeperService):
    """Rescues bulk changes of dead hosts, and no other jobs: for hosts that run none."""

    name = "bulk sweeper"

    async def _heartbeats(self) -> list[Heartbeat]:
        return [each for each in await super()._heartbeats() if is_bulk_runner(each.worker)]
