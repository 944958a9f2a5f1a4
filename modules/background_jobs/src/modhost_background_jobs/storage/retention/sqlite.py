"""Deleting old jobs on SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from modhost.database import SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.columns import FINAL_STATES
from modhost_background_jobs.storage.retention import sqlite_statements as statements


class SqliteRetention:
    """Implements `RetentionStore`, which describes each method."""

    def __init__(self, sqlite: SqliteAccess) -> None:
        self._sqlite = sqlite

    async def prune(self, state: JobState, finished_before: datetime, limit: int) -> int:
        """Delete one batch of old finished jobs."""
        bounds = [state.value, to_sqlite(finished_before), limit]
        if not await self._sqlite.fetch_one(statements.OLD_FINISHED, bounds):
            return 0
        return await self._sqlite.write(lambda connection: _prune(connection, bounds))

    async def forget_periods(self, before: datetime, limit: int) -> int:
        """Delete one batch of periods."""
        bounds = [to_sqlite(before), limit]
        if not await self._sqlite.fetch_one(statements.ENDED_PERIODS, bounds):
            return 0
        return await self._sqlite.execute(statements.FORGET_PERIODS, bounds)

    async def forget_occurrences(self, before: datetime) -> int:
        """Delete old occurrences; their schedules keep the last due time of them."""
        bound = [to_sqlite(before)]
        if not await self._sqlite.fetch_one(statements.OLD_OCCURRENCES, bound):
            return 0
        return await self._sqlite.write(lambda connection: _forget_occurrences(connection, bound))

    async def forget_workflows(self, completed_before: datetime, limit: int) -> int:
        """Delete one batch of workflows."""
        bounds = [to_sqlite(completed_before), limit]
        if not await self._sqlite.fetch_one(statements.OLD_WORKFLOWS, bounds):
            return 0
        return await self._sqlite.execute(statements.FORGET_WORKFLOWS, bounds)

    async def newest_end(self, before: datetime) -> datetime | None:
        """Read the newest of each final state."""
        bounds = [json.dumps(FINAL_STATES), to_sqlite(before)]
        newest = (await self._sqlite.fetch_one(statements.NEWEST_END, bounds))[0]
        return from_sqlite(newest) if newest else None


def _prune(connection: sqlite3.Connection, bounds: Sequence[str | int]) -> int:
    """Delete the finished jobs within the bounds of `OLD_FINISHED`; return how many."""
    old = connection.execute(statements.OLD_FINISHED, bounds).fetchall()
    if found_by := [id_ for id_, has_tags_or_words in old if has_tags_or_words]:
        for statement in statements.PRUNE_FOUND_BY:
            connection.execute(statement, [json.dumps(found_by)])
    ids = json.dumps([id_ for id_, _ in old])
    for statement in statements.PRUNE:
        connection.execute(statement, [ids])
    return len(old)


def _forget_occurrences(connection: sqlite3.Connection, before: list[str]) -> int:
    """Delete the occurrences that fired before a time; return how many."""
    connection.execute(statements.KEEP_FORGOTTEN, before)
    return connection.execute(statements.FORGET_OCCURRENCES, before).rowcount
