"""SQLite's driver, its place taken by a bad way to a real file."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID

import anyio

from modhost.database import SqliteAccess
from modhost.database.sqlite.connection import connect
from modhost_background_jobs.storage import JobStore
from simulation.workers.faults import Server, Way
from simulation.workers.history import History, row_of
from simulation.workers.rescues import SqliteStore
from simulation.workers.rows import ROWS
from simulation.world import World

T = TypeVar("T")


class SqliteBackend:
    """One connection for all processes, in the thread of the simulation."""

    def __init__(self, world: World) -> None:
        path = Path(world.database.url.removeprefix("sqlite:///"))
        self.connection = connect(path, query_only=False)
        # Nobody pulls the plug of a simulation.
        self.connection.execute("PRAGMA synchronous = OFF")

    def store(self, way: Way, server: Server, history: History) -> JobStore:
        return SqliteStore(cast(SqliteAccess, _Sqlite(self, way, history)))

    def lines(self) -> set[tuple[UUID, str]]:
        rows = self.connection.execute("SELECT job_id, message FROM background_jobs_logs")
        return {(UUID(row[0]), row[1]) for row in rows}

    def close(self) -> None:
        self.connection.close()

    def look(self, history: History, by: str) -> None:
        rows = self.connection.execute(ROWS.format(prefix="background_jobs_"))
        history.see([row_of(row) for row in rows], by)


class _Sqlite:
    """Stands for `SqliteAccess`, whose callers wait for the end when they are cancelled, too."""

    def __init__(self, backend: SqliteBackend, way: Way, history: History) -> None:
        self._backend = backend
        self._way = way
        self._history = history

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def perform() -> T:
            connection = self._backend.connection
            before = connection.total_changes
            result = _in_transaction(connection, work)
            if connection.total_changes != before:
                self._backend.look(self._history, self._way.name)
            return result

        return await self._ask(perform)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._ask(lambda: work(self._backend.connection))

    async def _ask(self, perform: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):
            answer = await self._way.call(perform)
        return answer  # noqa: RET504 - for all that mypy knows, the scope may swallow an error


def _in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return result
