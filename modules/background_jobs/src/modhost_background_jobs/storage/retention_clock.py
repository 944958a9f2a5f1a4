"""What there is to tell how old history is, which is deleted by that and cannot be brought back."""

import json
from datetime import datetime
from typing import Final

from modhost.database import Database, from_postgres, from_sqlite, to_sqlite
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.postgres import statements as postgres_statements
from modhost_background_jobs.storage.sqlite import statements as sqlite_statements

_FINAL: Final = [state.value for state in JobState if state.is_final]


class RetentionClock:
    """Looks at finished jobs, and at the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def time(self, now: datetime) -> datetime:
        """Return the time at which a clock is that does not run ahead of the database's.

        SQLite has no other clock than that of this machine.
        """
        if self._database.dialect == "sqlite":
            return now
        async with self._database.postgres.acquire() as connection:
            theirs = from_postgres(await connection.fetchval(postgres_statements.TIME))
        return min(now, theirs)

    async def newest_end(self, before: datetime) -> datetime | None:
        """Return when the last job ended before a time; None without any."""
        if self._database.dialect == "sqlite":
            bounds = [json.dumps(_FINAL), to_sqlite(before)]
            row = await self._database.sqlite.read(
                lambda connection: connection.execute(
                    sqlite_statements.NEWEST_END, bounds
                ).fetchone()
            )
            return from_sqlite(row[0]) if row[0] else None
        async with self._database.postgres.acquire() as connection:
            found = await connection.fetchval(postgres_statements.NEWEST_END, _FINAL, before)
        return None if found is None else from_postgres(found)
