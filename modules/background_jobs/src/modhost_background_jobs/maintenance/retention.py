"""Whether a clock can be believed by which history is deleted."""

import logging
from datetime import datetime, timedelta
from typing import Final

import anyio

from modhost.clock import Clock
from modhost.module import PeriodicService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.statistics import StatisticsStore


class ClockJumpGuard:
    """Doubts a time that has leapt ahead of the time that has passed, until it has stood for long.

    A leap is what makes much of the history old at once: half of the time for which it is kept. A
    machine that was off for so long looks the same as one whose clock is wrong; both are believed
    after `patience`.
    """

    def __init__(self, kept: timedelta, patience: timedelta) -> None:
        self._most = kept / 2
        self.patience = patience
        """How long a leap is doubted."""
        self._believed: tuple[datetime, float] | None = None
        self._doubts_since: float | None = None

    def begin(self, time: datetime, monotonic: float) -> None:
        """Believe a time, as it was at this moment of the monotonic clock."""
        self._believed = (time, monotonic)
        self._doubts_since = None

    def leap(self, now: datetime, monotonic: float) -> timedelta | None:
        """Return how far the time is ahead of what is believed; None when it is believed."""
        if self._believed is not None:
            before, then = self._believed
            ahead = now - before - timedelta(seconds=monotonic - then)
            if ahead > self._most and not self._has_stood(monotonic):
                return ahead
        self.begin(now, monotonic)
        return None

    def _has_stood(self, monotonic: float) -> bool:
        if self._doubts_since is None:
            self._doubts_since = monotonic
        return monotonic - self._doubts_since >= self.patience.total_seconds()


logger = logging.getLogger(__name__)

BATCH: Final = 500
PAUSE_SECONDS: Final = 0.05
STATISTICS_KEPT: Final = timedelta(days=2)
OCCURRENCES_KEPT: Final = timedelta(days=7)
PATIENCE: Final = timedelta(days=1)
DOUBT: Final = (
    "The clock is %s ahead of the time that has passed since the last job ended, or since it was "
    "read last. Nothing is deleted for the next %s, lest it is wrong."
)


class RetentionService(PeriodicService):
    """Deletes jobs that ended longer ago than `retention`; 0 keeps them for ever.

    Failed jobs are kept for `retention_failed` if that is longer.
    """

    name = "retention"
    interval = 60.0
    failure = "Old jobs could not be deleted (%s); tried again."

    def __init__(
        self,
        store: JobStore,
        statistics: StatisticsStore,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._store = store
        self._statistics = statistics
        self._retention = options.retention
        self._retention_failed = (
            max(options.retention, options.retention_failed)
            if options.retention and options.retention_failed
            else timedelta(0)
        )
        self._clock = clock
        self._occurrences = options.retention or OCCURRENCES_KEPT
        self._clock_guard = ClockJumpGuard(self._occurrences, min(self._occurrences, PATIENCE))
        self._began = clock.now()
        self._is_doubting = False
        self._knows_newest_end = False

    async def step(self) -> None:
        """Delete all that is old."""
        await self.prune()

    async def prune(self) -> int:
        """Delete all that is old, in small transactions; return how many jobs that were.

        Nothing is old for a clock that cannot be believed.
        """
        now = await self._store.database_time(self._clock.now())
        if not await self._believes(now):
            return 0
        await self._statistics.forget(now - STATISTICS_KEPT)
        await self._store.forget_occurrences(now - self._occurrences)
        deleted = 0
        for state in JobState:
            kept = self._retention_failed if state is JobState.FAILED else self._retention
            if state.is_final and kept:
                deleted += await self._prune(state, now - kept)
        return deleted

    async def _believes(self, now: datetime) -> bool:
        monotonic = self._clock.monotonic()
        if not self._knows_newest_end:
            # Of what ended before this process began, since its own clock may be wrong.
            newest = await self._store.newest_end(self._began)
            self._clock_guard.begin(newest or now, monotonic)
            self._knows_newest_end = True
        leap = self._clock_guard.leap(now, monotonic)
        if leap is not None and not self._is_doubting:
            logger.warning(DOUBT, leap, self._clock_guard.patience)
        self._is_doubting = leap is not None
        return leap is None

    async def _prune(self, state: JobState, before: datetime) -> int:
        deleted = 0
        while batch := await self._store.prune(state, before, BATCH):
            deleted += batch
            # Small steps with pauses: whoever waits to write gets in between.
            await anyio.sleep(PAUSE_SECONDS)
        return deleted
