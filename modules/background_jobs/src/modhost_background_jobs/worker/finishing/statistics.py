"""Statistics of finished jobs: counted in memory, written once a second."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost.failures import describe
from modhost.module import PeriodicService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, CurrentWorker
from modhost_background_jobs.model.counts import JobCounts
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import StatisticsStore

logger = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT: Final = 2.0


class StatisticsService(PeriodicService):
    """Counts finished jobs; a crash loses the counts of the last seconds, and no job."""

    name = "statistics"
    interval = 1.0
    failure = "The write of statistics"

    def __init__(self, store: StatisticsStore, worker: CurrentWorker, clock: QueueClock) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._minutes: dict[datetime, MinuteCounts] = {}
        self._is_unwritten = False
        self.counts = JobCounts()
        """What the worker has counted since its process began."""

    def count(self, finished: Iterable[tuple[ClaimedJob, JobState, datetime]]) -> None:
        """Count jobs whose final states were just stored, with when their attempts finished."""
        now = self._clock.now()
        minute = now.replace(second=0, microsecond=0)
        counts = self._minutes.get(minute)
        if counts is None:
            counts = self._minutes[minute] = MinuteCounts()
        for claimed, state, finished_at in finished:
            waited = (claimed.claimed_at - claimed.execute_at).total_seconds()
            ran = (finished_at - claimed.claimed_at).total_seconds()
            counts.count(state, waited, ran)
            self.counts.of(claimed).count(state, waited, ran)
        self._is_unwritten = True

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Write once a second until cancelled, and one last time then."""
        try:
            await super().run(task_status=task_status)
        finally:
            with anyio.move_on_after(SHUTDOWN_TIMEOUT, shield=True):
                try:
                    await self.step()
                except Exception as error:  # noqa: BLE001 - counts are lost, and no job
                    logger.warning("The last statistics are lost (%s).", describe(error))

    async def step(self) -> None:
        """Write the counts; those of the current minute are kept, and written again."""
        if not self._is_unwritten:
            return
        minutes = list(self._minutes.items())
        current = self._clock.now().replace(second=0, microsecond=0)
        self._is_unwritten = False
        try:
            await self._store.save(self._worker.name or "", minutes)
        except BaseException:
            self._is_unwritten = True
            raise
        for minute, _ in minutes:
            if minute < current:
                del self._minutes[minute]
