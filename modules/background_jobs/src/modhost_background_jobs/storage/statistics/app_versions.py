"""The versions of the application that workers have run, and since when."""

from datetime import datetime
from typing import Final, NamedTuple

import anyio
from sqlalchemy import select

from modhost.database import Database
from modhost_background_jobs.storage.dialects import insert_unless_exists
from modhost_background_jobs.storage.tables import APP_VERSIONS

MAX_SHOWN: Final = 50
CACHE_SECONDS: Final = 15.0


class SeenVersion(NamedTuple):
    """A version, and when a worker first ran it."""

    version: str
    first_seen_at: datetime


class AppVersions:
    """Writes and reads the versions; what is read may be `CACHE_SECONDS` old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[float, list[SeenVersion]] | None = None

    async def note(self, version: str, now: datetime) -> None:
        """Note that a worker runs a version; only the first of them counts."""
        row = {"version": version, "first_seen_at": now}
        async with self._database.session() as session:
            await insert_unless_exists(await session.connection(), APP_VERSIONS, row, ["version"])
        self._known = None

    async def since(self, moment: datetime) -> list[SeenVersion]:
        """Return the versions that were new since a moment, the last ones, the oldest first."""
        now = anyio.current_time()
        if self._known is None or now - self._known[0] >= CACHE_SECONDS:
            async with self._database.reading() as session:
                rows = (await (await session.connection()).execute(_NEWEST)).all()
            self._known = (now, [SeenVersion(*row) for row in reversed(rows)])
        return [each for each in self._known[1] if each.first_seen_at >= moment]


_NEWEST: Final = (
    select(APP_VERSIONS.c.version, APP_VERSIONS.c.first_seen_at)
    .order_by(APP_VERSIONS.c.first_seen_at.desc(), APP_VERSIONS.c.version)
    .limit(MAX_SHOWN)
)
