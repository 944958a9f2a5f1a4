"""Roll up what workers have counted of each job type."""

from modhost.module import PeriodicService
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import TypeStatisticsStore
from modhost_background_jobs.storage.statistics.by_type import BATCH_SIZE


class RollUpService(PeriodicService):
    """Merges the past minutes of all workers into rows by the minute and by the hour."""

    name = "roll-ups"
    interval = 60.0
    failure = "The roll-up of statistics"

    def __init__(self, store: TypeStatisticsStore, clock: QueueClock) -> None:
        self._store = store
        self._clock = clock

    async def step(self) -> None:
        """Merge all that is past, in small transactions."""
        while await self._store.merge(self._clock.now()) == BATCH_SIZE:
            pass
