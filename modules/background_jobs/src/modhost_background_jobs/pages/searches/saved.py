"""Searches of the list that people keep under a name, each their own."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select, update

from modhost.database import Database
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.dialects import insert_unless_exists
from modhost_background_jobs.storage.tables import SAVED_SEARCHES

MAX_SAVED: Final = 20
_KEPT: Final = SAVED_SEARCHES.c


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search and what it is called; `query` is its query string."""

    name: str
    query: str


class SavedSearches:
    """Keeps up to `MAX_SAVED` searches of each person."""

    def __init__(self, database: Database, clock: QueueClock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, owner: str) -> list[SavedSearch]:
        """Return the searches of a person by name."""
        reading = select(_KEPT.name, _KEPT.query).where(_KEPT.owner == owner).order_by(_KEPT.name)
        async with self._database.reading() as session:
            return [
                SavedSearch(*row) for row in await (await session.connection()).execute(reading)
            ]

    async def save(self, owner: str, name: str, query: str) -> bool:
        """Keep a search, in place of an earlier one of this name; return whether there was room."""
        async with self._database.session() as session:
            connection = await session.connection()
            is_it = (_KEPT.owner == owner, _KEPT.name == name)
            changed = update(SAVED_SEARCHES).where(*is_it).values(query=query)
            if (await connection.execute(changed)).rowcount:
                return True
            counting = select(func.count()).select_from(SAVED_SEARCHES).where(_KEPT.owner == owner)
            if (await connection.execute(counting)).scalar_one() >= MAX_SAVED:
                return False
            row = {"owner": owner, "name": name, "query": query, "saved_at": self._clock.now()}
            await insert_unless_exists(connection, SAVED_SEARCHES, row, ["owner", "name"])
        return True

    async def forget(self, owner: str, name: str) -> None:
        """Delete a search; one that is gone stays so."""
        async with self._database.session() as session:
            forgetting = delete(SAVED_SEARCHES).where(_KEPT.owner == owner, _KEPT.name == name)
            await (await session.connection()).execute(forgetting)
