"""The workers that are gone: kept for a day, and no more of them than anybody reads."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select

from modhost.database import Database
from modhost_background_jobs.storage.tables import DEPARTED

KEPT: Final = timedelta(days=1)
MAX_KEPT: Final = 500
"""A worker that crashes again and again leaves thousands in a day."""


class DepartedWorkers:
    """Deletes what is no longer of interest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, now: datetime, most: int = MAX_KEPT) -> None:
        """Delete those that left longer than a day ago, and all but the last `most`."""
        newest = select(DEPARTED.c.name).order_by(DEPARTED.c.left_at.desc(), DEPARTED.c.name)
        is_old = DEPARTED.c.left_at < now - KEPT
        is_beyond = DEPARTED.c.name.not_in(newest.limit(most))
        async with self._database.session() as session:
            connection = await session.connection()
            rows = DEPARTED.alias("old")
            old = select(DEPARTED.c.name).where(or_(is_old, is_beyond))
            # Rows that somebody else has locked are left to the next time.
            unlocked = select(rows.c.name).where(rows.c.name.in_(old))
            free = unlocked.with_for_update(skip_locked=True, of=rows)
            await connection.execute(delete(DEPARTED).where(DEPARTED.c.name.in_(free)))
