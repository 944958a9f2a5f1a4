"""Callers that wait for the ends of jobs have them notify."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from modhost.database import Database
from modhost_background_jobs.storage.tables import JOBS


async def note_awaited(database: Database, ids: Sequence[UUID]) -> set[UUID]:
    """Have the ends of jobs notify; return those that will or have ended, and not those locked.

    On SQLite all do: other processes see that the file has changed.
    """
    if database.dialect == "sqlite":
        return set(ids)
    wanted = JOBS.c.id.in_(ids)
    free = select(JOBS.c.id).where(wanted, ~JOBS.c.is_awaited).with_for_update(skip_locked=True)
    noting = update(JOBS).where(JOBS.c.id.in_(free)).values(is_awaited=True)
    async with database.session() as session:
        connection = await session.connection()
        await connection.execute(noting)
        left = await connection.execute(select(JOBS.c.id).where(wanted, ~JOBS.c.is_awaited))
        return set(ids) - set(left.scalars())
