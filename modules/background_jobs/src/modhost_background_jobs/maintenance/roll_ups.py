"""Roll up what workers have counted, altogether and of each job type."""

from modhost.module import PeriodicService
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import StatisticsStore, TypeStatisticsStore
from modhost_background_jobs.storage.statistics.rows import BATCH_SIZE


class RollUpService(PeriodicService):
    """Merges past minutes into rows of all workers, by the minute, the half hour and the hour."""

    name = "roll-ups"
    interval = 60.0
    failure = "The roll-up of statistics"

    def __init__(
        self, statistics: StatisticsStore, of_types: TypeStatisticsStore, clock: QueueClock
    ) -> None:
        self._stores = (statistics, of_types)
        self._clock = clock

    async def step(self) -> None:
        """Merge all that is past, in small transactions."""
        for store in self._stores:
            while await store.merge(self._clock.now()) == BATCH_SIZE:
                pass
