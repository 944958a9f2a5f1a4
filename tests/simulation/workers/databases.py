"""The drivers' places taken by a bad way to a real database, one for each kind."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast
from uuid import UUID

import anyio

from modhost.database import PostgresAccess, SqliteAccess
from modhost.database.sqlite_connection import connect
from modhost_background_jobs.queue import postgres_statements as statements
from modhost_background_jobs.queue.store import JobStore
from simulation.workers.faults import Server, Way
from simulation.workers.history import History, row_of
from simulation.workers.rescues import PostgresStore, SqliteStore
from simulation.world import World

T = TypeVar("T")

_COLUMNS: Final = "id, state, fence, attempts_left, worker"
_ROWS: Final = f"""
SELECT {_COLUMNS}, cancel_requested_at IS NOT NULL, recurring_job_id IS NOT NULL, on_hold
FROM {{prefix}}jobs
UNION ALL
SELECT {_COLUMNS}, false, recurring_job_id IS NOT NULL, false FROM {{prefix}}finished_jobs
"""

_CHANGES_NO_JOB: Final = {
    statements.LEASES,
    statements.HEARTBEATS,
    statements.NEXT_DUE,
    statements.BEAT,
    statements.REGISTER,
    statements.UNREGISTER,
    statements.SAVE_PROGRESS,
    statements.APPEND_LOGS,
    statements.NOTE_BEGIN,
}


class Backend(Protocol):
    """A real database below the simulation."""

    def store(self, way: Way, server: Server, history: History) -> JobStore:
        """Return the queue's own store, over a bad way."""
        ...

    def look(self, history: History, by: str) -> None:
        """See what has changed."""
        ...

    def lines(self) -> set[tuple[UUID, str]]:
        """Return the log lines of all jobs."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


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
        rows = self.connection.execute(_ROWS.format(prefix="background_jobs_"))
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


class PostgresBackend:
    """One connection for all processes, in the event loop of the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.connection = world.do(world.database.postgres.connect)

    def do(self, statement: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return self._world.do(statement, *arguments)

    def store(self, way: Way, server: Server, history: History) -> JobStore:
        return PostgresStore(cast(PostgresAccess, _Postgres(self, way, server, history)))

    def lines(self) -> set[tuple[UUID, str]]:
        rows = self.do(self.connection.fetch, "SELECT job_id, message FROM background_jobs.logs")
        return {(UUID(str(row[0])), row[1]) for row in rows}

    def close(self) -> None:
        self.do(self.connection.close)

    def look(self, history: History, by: str) -> None:
        rows = self.do(self.connection.fetch, _ROWS.format(prefix="background_jobs."))
        history.see([row_of(row) for row in rows], by)


class _Postgres:
    """Stands for `PostgresAccess`, and for the connection that it lends."""

    def __init__(
        self, backend: PostgresBackend, way: Way, server: Server, history: History
    ) -> None:
        self._backend = backend
        self._way = way
        self._server = server
        self._history = history

    @asynccontextmanager
    async def acquire(self, seconds: float | None = None) -> AsyncIterator["_Connection"]:
        yield _Connection(self._backend, self._way, self._server, self._history)


class _Connection(_Postgres):
    """What is asked of a connection, by one task."""

    _is_in_transaction = False

    async def fetch(self, statement: str, *arguments: Any, timeout: float | None = None) -> Any:
        return await self._ask(self._backend.connection.fetch, statement, arguments, timeout)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        return await self._ask(self._backend.connection.fetchval, statement, arguments)

    async def execute(self, statement: str, *arguments: Any) -> Any:
        return await self._ask(self._backend.connection.execute, statement, arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._server.turn:
            self._do("BEGIN")
            self._is_in_transaction = True
            try:
                yield
                await self._way.call(self._commit, in_turn=True)
            finally:
                if self._is_in_transaction:
                    self._is_in_transaction = False
                    self._do("ROLLBACK")

    async def _ask(
        self,
        method: Callable[..., Awaitable[Any]],
        statement: str,
        arguments: tuple[Any, ...],
        timeout: float | None = None,
    ) -> Any:
        def perform() -> Any:
            answer = self._backend.do(method, statement, *arguments)
            if not self._is_in_transaction and statement not in _CHANGES_NO_JOB:
                self._backend.look(self._history, self._way.name)
            return answer

        with anyio.fail_after(timeout):
            return await self._way.call(perform, in_turn=self._is_in_transaction)

    def _commit(self) -> None:
        self._do("COMMIT")
        self._is_in_transaction = False
        self._backend.look(self._history, self._way.name)

    def _do(self, statement: str) -> None:
        self._backend.do(self._backend.connection.execute, statement)


@contextmanager
def open_backend(world: World) -> Iterator[Backend]:
    """Connect to the world's database."""
    kind = SqliteBackend if world.database.dialect == "sqlite" else PostgresBackend
    with closing(kind(world)) as backend:
        yield backend
