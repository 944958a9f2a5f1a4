"""Deleting old jobs on PostgreSQL, on the bare driver."""

from datetime import datetime

from modhost.database import PostgresAccess, from_postgres
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.columns import FINAL_STATES
from modhost_background_jobs.storage.dialects import is_lock_timeout
from modhost_background_jobs.storage.retention import postgres_statements as statements


class PostgresRetention:
    """Implements `RetentionStore`, which describes each method."""

    def __init__(self, postgres: PostgresAccess) -> None:
        self._postgres = postgres

    async def prune(self, state: JobState, finished_before: datetime, limit: int) -> int:
        """Delete one batch of old finished jobs."""
        bounds = (state.value, finished_before, limit)
        try:
            return len(await self._postgres.fetch(statements.PRUNE, *bounds))
        except Exception as error:
            if not is_lock_timeout(error):
                raise
        return len(await self._postgres.fetch(statements.PRUNE_FREE, *bounds))

    async def forget_periods(self, before: datetime, limit: int) -> int:
        """Delete one batch of periods that nobody has locked."""
        return len(await self._postgres.fetch(statements.FORGET_PERIODS, before, limit))

    async def forget_occurrences(self, before: datetime) -> int:
        """Delete old occurrences; their schedules keep the last due time of them."""
        return int(await self._postgres.fetchval(statements.FORGET_OCCURRENCES, before))

    async def forget_workflows(self, completed_before: datetime, limit: int) -> int:
        """Delete one batch of workflows that nobody has locked."""
        bounds = (completed_before, limit)
        return len(await self._postgres.fetch(statements.FORGET_WORKFLOWS, *bounds))

    async def newest_end(self, before: datetime) -> datetime | None:
        """Read the newest of each final state."""
        newest = await self._postgres.fetchval(statements.NEWEST_END, list(FINAL_STATES), before)
        return None if newest is None else from_postgres(newest)
