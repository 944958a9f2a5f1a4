"""Statistics of finished jobs: counted in memory, written once a second."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost import Clock, HostedService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, CurrentWorker
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.storage import Signal
from modhost_background_jobs.storage.statistics import StatisticsStore

logger = logging.getLogger(__name__)

WRITE_SECONDS: Final = 1.0
SHUTDOWN_TIMEOUT: Final = 2.0


class StatisticsService(HostedService):
    """Counts finished jobs; a crash loses the counts of the last seconds, and no job."""

    name = "statistics"

    def __init__(self, store: StatisticsStore, worker: CurrentWorker, clock: Clock) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._minutes: dict[datetime, MinuteCounts] = {}
        self._is_unwritten = False
        self._counted = Signal()

    def count(self, finished: Iterable[tuple[ClaimedJob, JobState, datetime]]) -> None:
        """Count jobs whose final states were just stored, with when their attempts finished."""
        now = self._clock.now()
        minute = now.replace(second=0, microsecond=0)
        counts = self._minutes.get(minute)
        if counts is None:
            counts = self._minutes[minute] = MinuteCounts()
        for claimed, state, finished_at in finished:
            waited = (claimed.claimed_at - claimed.due_at).total_seconds()
            counts.count(state, waited, (finished_at - claimed.claimed_at).total_seconds())
        if not self._is_unwritten:
            self._is_unwritten = True
            self._counted.fire()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Write while there is something to write, until cancelled."""
        task_status.started()
        try:
            while True:
                ticket = self._counted.ticket()
                if not self._is_unwritten:
                    await ticket.wait()
                await anyio.sleep(WRITE_SECONDS)
                await self.write()
        finally:
            with anyio.move_on_after(SHUTDOWN_TIMEOUT, shield=True):
                await self.write()

    async def write(self) -> None:
        """Write the counts; those of the current minute are kept, and written again."""
        if not self._is_unwritten:
            return
        minutes = list(self._minutes.items())
        current = self._clock.now().replace(second=0, microsecond=0)
        self._is_unwritten = False
        try:
            await self._store.save(self._worker.name or "", minutes)
        except Exception as error:  # noqa: BLE001 - the next write has them all
            logger.warning("Statistics could not be written (%s); tried again.", error)
            self._is_unwritten = True
            return
        except BaseException:
            self._is_unwritten = True
            raise
        for minute, _ in minutes:
            if minute < current:
                del self._minutes[minute]
