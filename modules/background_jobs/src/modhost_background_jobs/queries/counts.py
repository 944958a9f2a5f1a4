"""How many jobs there are: counted by indexes alone, and a long history once a second at most."""

from typing import Final

import anyio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import Partition, partitions_of, running
from modhost_background_jobs.storage.tables import FINISHED, JOBS

CACHE_SECONDS: Final = 1.0
FEW: Final = 10_000
"""Up to so many jobs are counted anew each time."""

_Key = tuple[JobState | None, str | None, int]


class JobCounts:
    """Counts jobs; a count of more than `FEW` finished ones may be a second old."""

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[float, int]] = {}

    async def count(
        self, connection: AsyncConnection, state: JobState | None, job_type: str | None
    ) -> int:
        """Return how many jobs there are in a state and of a type, or in any and of any."""
        if state is JobState.PENDING and job_type is None:
            # No index has all pending jobs; the running ones are few.
            live = await self._count(connection, Partition(JOBS), (None, None, 0))
            return max(0, live - await self._count(connection, running(), (state, None, 0)))
        total = 0
        for number, partition in enumerate(partitions_of(state, job_type)):
            total += await self._count(connection, partition, (state, job_type, number))
        return total

    async def _count(self, connection: AsyncConnection, partition: Partition, key: _Key) -> int:
        now = anyio.current_time()
        known = self._known.get(key)
        if known is not None and now - known[0] < CACHE_SECONDS:
            return known[1]
        counting = select(func.count()).select_from(partition.table).where(*partition.conditions)
        count: int = (await connection.execute(counting)).scalar_one()
        self._known.pop(key, None)
        if partition.table is FINISHED and count > FEW:
            self._known[key] = (now, count)
        return count
