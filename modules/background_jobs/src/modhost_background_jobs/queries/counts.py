"""How many jobs there are: by indexes alone, and of a long history once a second at the most."""

from typing import Final

import anyio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import FINISHED, JOBS, Part, parts_to_count, running

LASTS_SECONDS: Final = 1.0
FEW: Final = 10_000
"""So many are counted anew each time."""

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
            # No index has them all; those that run are few.
            live = await self._count(connection, Part(JOBS), (None, None, 0))
            return max(0, live - await self._count(connection, running(), (state, None, 0)))
        total = 0
        for number, part in enumerate(parts_to_count(state, job_type)):
            total += await self._count(connection, part, (state, job_type, number))
        return total

    async def _count(self, connection: AsyncConnection, part: Part, key: _Key) -> int:
        now = anyio.current_time()
        known = self._known.get(key)
        if known is not None and now - known[0] < LASTS_SECONDS:
            return known[1]
        counting = select(func.count()).select_from(part.table).where(*part.conditions)
        count: int = (await connection.execute(counting)).scalar_one()
        self._known.pop(key, None)
        if part.table is FINISHED and count > FEW:
            self._known[key] = (now, count)
        return count
