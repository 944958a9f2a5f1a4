"""SQLite's driver replaced by a faulty link to a real file."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import anyio

from modhost.database import SqliteAccess
from modhost.database.sqlite.connection import connect
from modhost_background_jobs.model import Heartbeat, Rescue
from modhost_background_jobs.storage import JobStore, LaneStore
from modhost_background_jobs.storage.sqlite.lanes.store import SqliteLaneStore
from modhost_background_jobs.storage.sqlite.store import SqliteJobStore
from simulation.history import History, rescuing
from simulation.links.faults import Link
from simulation.links.inline import in_transaction
from simulation.rows import ROWS
from simulation.world import World

T = TypeVar("T")


class SqliteStore(SqliteJobStore):
    """The store of SQLite, which marks its rescues."""

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        with rescuing():
            return await super().rescue(seen, max_rescues, now)


class SqliteBackend:
    """One connection for all processes, in the thread of the simulation."""

    def __init__(self, world: World) -> None:
        path = Path(world.database.url.removeprefix("sqlite:///"))
        self.connection = connect(path, query_only=False)
        # A simulation need not survive a power cut.
        self.connection.execute("PRAGMA synchronous = OFF")

    def store(self, link: Link, history: History) -> JobStore:
        return SqliteStore(_Sqlite(self, link, history))

    def lane_store(self, link: Link, history: History) -> LaneStore:
        return SqliteLaneStore(_Sqlite(self, link, history), history.clock)

    def lines(self) -> set[tuple[UUID, str]]:
        rows = self.connection.execute("SELECT job_id, message FROM background_jobs_logs")
        return {(UUID(row[0]), row[1]) for row in rows}

    def steps(self) -> dict[tuple[UUID, str], int]:
        rows = self.connection.execute("SELECT job_id, name, fence FROM background_jobs_job_steps")
        return {(UUID(row[0]), row[1]): row[2] for row in rows}

    def close(self) -> None:
        self.connection.close()

    def observe(self, history: History, by: str) -> None:
        rows = self.connection.execute(ROWS.format(prefix="background_jobs_")).fetchall()
        history.record(rows, by)


class _Sqlite(SqliteAccess):
    """Stands for `SqliteAccess`, whose callers wait for the end even when they are cancelled."""

    def __init__(self, backend: SqliteBackend, link: Link, history: History) -> None:
        self._backend = backend
        self._link = link
        self._history = history

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def perform() -> T:
            connection = self._backend.connection
            before = connection.total_changes
            result = in_transaction(connection, work)
            if connection.total_changes != before:
                self._backend.observe(self._history, self._link.name)
            return result

        return await self._call(perform)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._call(lambda: work(self._backend.connection))

    async def _call(self, perform: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):
            answer = await self._link.call(perform)
        return answer  # noqa: RET504 - for all that mypy knows, the scope may swallow an error
