"""Delete old history, unless the clock by which it is old has jumped."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import anyio

from modhost.module import PeriodicService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import GuardedClock, JobStore
from modhost_background_jobs.storage.departed import DepartedWorkers
from modhost_background_jobs.storage.retention import RetentionStore
from modhost_background_jobs.storage.statistics import StatisticsStore, TypeStatisticsStore
from modhost_background_jobs.storage.statistics.minutes import KEPT as STATISTICS_KEPT
from modhost_background_jobs.storage.statistics.rows import HOUR, MINUTE, MINUTES_KEPT


class ClockJumpGuard:
    """Distrusts a clock that jumped ahead of the monotonic clock, until it has kept its time.

    A jump is what makes much of the history old at once: half of the time for which it is kept. A
    machine that was off for so long cannot be distinguished from one whose clock is wrong; both
    are trusted after `patience`.
    """

    def __init__(self, kept: timedelta, patience: timedelta) -> None:
        self._max_jump = kept / 2
        self.patience = patience
        """How long a jump is distrusted."""
        self._trusted: tuple[datetime, float] | None = None
        self._jumped_at: float | None = None

    def trust(self, time: datetime, monotonic: float) -> None:
        """Trust a time, as it was at this moment of the monotonic clock."""
        self._trusted = (time, monotonic)
        self._jumped_at = None

    def jump(self, now: datetime, monotonic: float) -> timedelta | None:
        """Return how far the clock has jumped ahead; None when it is trusted."""
        if self._trusted is not None:
            before, then = self._trusted
            ahead = now - before - timedelta(seconds=monotonic - then)
            if ahead > self._max_jump:
                if self._jumped_at is None:
                    self._jumped_at = monotonic
                if monotonic - self._jumped_at < self.patience.total_seconds():
                    return ahead
        self.trust(now, monotonic)
        return None


logger = logging.getLogger(__name__)

BATCH_SIZE: Final = 500
MAX_PAUSE_SECONDS: Final = 0.05
HOURS_KEPT: Final = timedelta(days=90)
OCCURRENCES_KEPT: Final = timedelta(days=7)
PATIENCE: Final = timedelta(days=1)
JUMP: Final = (
    "The clock is %s ahead of the time that has passed since the last job finished, or since it "
    "was last read. Nothing is deleted for the next %s, in case it is wrong."
)


class RetentionService(PeriodicService):
    """Deletes jobs that finished longer ago than `retention`; 0 keeps them forever.

    Failed jobs are kept for `retention_failed` if that is longer.
    """

    name = "retention"
    interval = 60.0
    failure = "The deletion of old jobs"

    def __init__(
        self,
        store: JobStore,
        deletion: RetentionStore,
        statistics: StatisticsStore,
        of_types: TypeStatisticsStore,
        departed: DepartedWorkers,
        options: BackgroundJobsOptions,
        clock: GuardedClock,
    ) -> None:
        self._store = store
        self._deletion = deletion
        self._statistics = statistics
        self._of_types = of_types
        self._departed = departed
        self._retention = options.retention
        self._retention_failed = (
            max(options.retention, options.retention_failed)
            if options.retention and options.retention_failed
            else timedelta(0)
        )
        self._clock = clock
        self._occurrences = options.retention or OCCURRENCES_KEPT
        self._jump_guard = ClockJumpGuard(self._occurrences, min(self._occurrences, PATIENCE))
        self._began = clock.now()
        self._has_warned = False
        self._knows_newest_end = False

    async def step(self) -> None:
        """Delete all that is old."""
        await self.prune()

    async def prune(self) -> int:
        """Delete all that is old, in small transactions; return how many jobs were deleted.

        Nothing is old by a clock that is not trusted.
        """
        if not await self._clock.agrees():
            return 0
        now = await self._store.database_time(self._clock.now())
        if not await self._trusts(now):
            return 0
        await self._statistics.forget(now - STATISTICS_KEPT)
        await self._of_types.forget(now - MINUTES_KEPT, MINUTE)
        await self._of_types.forget(now - HOURS_KEPT, HOUR)
        await self._departed.forget(now)
        await self._deletion.forget_occurrences(now - self._occurrences)
        await self._in_batches(partial(self._deletion.forget_periods, now))
        deleted = 0
        for state in JobState:
            kept = self._retention_failed if state is JobState.FAILED else self._retention
            if state.is_final and kept:
                deleted += await self._in_batches(partial(self._deletion.prune, state, now - kept))
        if self._retention:
            old = partial(self._deletion.forget_workflows, now - self._retention)
            await self._in_batches(old)
        return deleted

    async def _trusts(self, now: datetime) -> bool:
        monotonic = self._clock.monotonic()
        if not self._knows_newest_end:
            # Of jobs that finished before this process began, since its own clock may be wrong.
            newest = await self._deletion.newest_end(self._began)
            self._jump_guard.trust(newest or now, monotonic)
            self._knows_newest_end = True
        jump = self._jump_guard.jump(now, monotonic)
        if jump is not None and not self._has_warned:
            logger.warning(JUMP, jump, self._jump_guard.patience)
        self._has_warned = jump is not None
        return jump is None

    async def _in_batches(self, delete: Callable[[int], Awaitable[int]]) -> int:
        """Delete in batches; return how many.

        Other writers get as long as a batch took, where that is short: a fixed pause would bound
        how many jobs an hour can be deleted, and with it how many can be run.
        """
        deleted, began = 0, self._clock.monotonic()
        while batch := await delete(BATCH_SIZE):
            deleted += batch
            await anyio.sleep(min(MAX_PAUSE_SECONDS, self._clock.monotonic() - began))
            began = self._clock.monotonic()
        return deleted
