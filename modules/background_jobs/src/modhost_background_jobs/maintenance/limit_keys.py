"""Forget the keys of limits that nothing counts for any more, such as those of former customers."""

from typing import Final

from modhost.module import PeriodicService
from modhost_background_jobs.model import LimitKey
from modhost_background_jobs.storage import LaneStore, QueueClock

FIRST: Final = LimitKey("", "")
BATCH_SIZE: Final = 500


class LimitKeysService(PeriodicService):
    """Checks some keys each minute, in their order, and begins anew after the last one."""

    name = "limit keys"
    interval = 60.0
    failure = "The deletion of unused keys of limits"

    def __init__(self, store: LaneStore, clock: QueueClock) -> None:
        self._store = store
        self._clock = clock
        self._after = FIRST

    async def step(self) -> None:
        """Check the next keys."""
        last = await self._store.forget_keys(self._after, BATCH_SIZE, self._clock.now())
        self._after = last or FIRST
