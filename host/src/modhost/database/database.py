"""The database that the host and its modules share."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import cached_property
from typing import Final, Literal

import anyio
import anyio.to_thread
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.calls.own_loop import OwnLoop
from modhost.database import errors
from modhost.database.engines import open_postgres, open_sqlite, open_unbounded
from modhost.database.failures import may_pass
from modhost.database.pools import PoolUse, uses_of
from modhost.database.postgres.access import PostgresAccess
from modhost.database.postgres.connector import PostgresConnector, import_asyncpg
from modhost.database.sqlite.access import SqliteAccess
from modhost.database.sqlite.connection import connect
from modhost.database.sqlite.foreign_log import refuse_foreign_log
from modhost.database.sqlite.write_lock import WriteLock
from modhost.database.url import DatabaseUrl

SHUTDOWN_TIMEOUT: Final = 5.0


class Database:
    """The database of the host: sessions for most code, bare drivers for the hot path.

    Args:
        url: `sqlite:///file` or `postgresql://user:password@host/name`.
        shutdown_timeout: seconds that a server has to answer when the database is closed.

    Raises:
        BadDatabaseUrl: the URL cannot be used, or its driver is not installed; the message does
            not show its password.

    """

    def __init__(self, url: str, *, shutdown_timeout: float = SHUTDOWN_TIMEOUT) -> None:
        self._shutdown_timeout = shutdown_timeout
        self._parsed = DatabaseUrl.parse(url)
        self.url = str(self._parsed) if self.dialect == "sqlite" else url
        if self.dialect == "postgresql":
            import_asyncpg()  # so that a missing one is reported here
        self._write_lock = WriteLock()
        self._loop = OwnLoop("The database")
        self._engines: tuple[AsyncEngine, AsyncEngine] | None = None

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The kind of database that the URL names."""
        return self._parsed.dialect

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions raised when the database fails, or holds what cannot be read."""
        if self.dialect == "sqlite":
            return (errors.DatabaseError, SQLAlchemyError, sqlite3.Error)
        # asyncpg raises OverflowError for a time beyond those that Python knows.
        return (errors.DatabaseError, SQLAlchemyError, OverflowError, *self.postgres.errors)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Database"]:
        """Connect, and disconnect at the end. Raises `DatabaseUnreachable`."""
        self._loop.adopt()
        try:
            if self.dialect == "sqlite":
                self._make_folder()
            await self._open_engines()
            yield self
        finally:
            with anyio.CancelScope(shield=True):
                await self._close()

    @asynccontextmanager
    async def open_bare(self) -> AsyncIterator["Database"]:
        """Offer only the bare drivers, which connect at first use; disconnect at the end."""
        self._loop.adopt()
        try:
            yield self
        finally:
            with anyio.CancelScope(shield=True):
                await self._close_bare()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Open a session in a write transaction: committed at the end, rolled back on an error.

        On SQLite it is this process's one writer from the start, so that what it reads cannot
        change before it writes. Raises `RuntimeError` when this task has one open already, and
        `WrongEventLoop`, as everything here does.
        """
        self._loop.check()
        lock = self._write_lock if self.dialect == "sqlite" else nullcontext()
        async with lock, self._session(self._opened[0]) as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session that can only read, and never waits for a writer."""
        self._loop.check()
        async with self._session(self._opened[1]) as session:
            yield session

    def refuse_other_loops(self) -> None:
        """Raise `WrongEventLoop` unless this runs on the event loop of the host."""
        self._loop.check()

    def refuse_nested_write(self) -> None:
        """Raise `RuntimeError` when a write would wait for a session that this task has open."""
        if self.dialect == "sqlite":
            self._write_lock.refuse_nested()

    def stop_waiting(self) -> None:
        """Fail what waits for another process's lock, from now on; for a start that is given up."""
        if self.dialect == "sqlite":
            self.sqlite.stop_waiting()

    def disconnect(self, opened_before: float) -> None:
        """Give up connections to a server that were opened before a time of the event loop.

        After the network was cut off they may be dead, and would be waited for. What is under way
        on them fails; new ones are opened as they are needed. A file needs no connection.
        """
        if self.dialect == "postgresql":
            self._connector.disconnect(opened_before)

    @cached_property
    def sqlite(self) -> SqliteAccess:
        """The bare driver of a SQLite database."""
        return SqliteAccess(self._parsed.path, self._write_lock, self._loop)

    @cached_property
    def postgres(self) -> PostgresAccess:
        """The bare driver of a PostgreSQL database."""
        return PostgresAccess(self._connector, self._loop)

    def pools(self) -> list[PoolUse]:
        """Return how many connections of each pool are in use; none while it is not open."""
        uses = uses_of(*self._engines) if self._engines else []
        return [*uses, *self.postgres.uses()] if "postgres" in self.__dict__ else uses

    @property
    def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine of writers."""
        return self._opened[0]

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection whose statements may take as long as they need."""
        if self.dialect == "sqlite":
            async with self.engine.connect() as connection:
                yield connection
            return
        engine = open_unbounded(self._connector)
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            with anyio.CancelScope(shield=True):
                await engine.dispose()

    def __str__(self) -> str:
        return str(self._parsed)

    def __repr__(self) -> str:
        return f"Database({self._parsed})"

    @cached_property
    def _connector(self) -> PostgresConnector:
        return PostgresConnector(self._parsed.address)

    @property
    def _opened(self) -> tuple[AsyncEngine, AsyncEngine]:
        if self._engines is None:
            msg = "The database is not open: it is while the host runs, or within its `open()`."
            raise RuntimeError(msg)
        return self._engines

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        session = AsyncSession(engine, expire_on_commit=False)
        try:
            yield session
            # Shielded, so that the outcome of a commit that has begun is always awaited.
            with anyio.CancelScope(shield=True):
                await session.commit()
        finally:
            with anyio.CancelScope(shield=True):
                await session.close()

    def _make_folder(self) -> None:
        try:
            self._parsed.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"The folder of the database {self._parsed} cannot be created: {error}."
            raise errors.DatabaseUnreachable(msg, errors.FILE_REMEDY) from error

    async def _open_engines(self) -> None:
        try:
            if self.dialect == "sqlite":
                # The engine's driver leaves a thread behind when it cannot open the file, which
                # then complains about a closed loop.
                await anyio.to_thread.run_sync(self._open_file)
                self._engines = open_sqlite(self._parsed.path, self._write_lock)
            else:
                await self._connector.find_pooler()
                self._engines = open_postgres(self._connector)
            async with self._opened[1].connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:  # noqa: BLE001 - drivers raise many kinds
            done = "opened" if self.dialect == "sqlite" else "reached"
            msg = f"The database {self._parsed} cannot be {done}: {errors.reason_of(error)}"
            raise errors.DatabaseUnreachable(
                msg, errors.remedy_of(error), may_pass=may_pass(error)
            ) from None

    def _open_file(self) -> None:
        refuse_foreign_log(self._parsed.path)
        connect(self._parsed.path, query_only=True).close()

    async def _close(self) -> None:
        engines, self._engines = self._engines or (), None
        for engine in engines:
            with anyio.move_on_after(self._shutdown_timeout):
                await engine.dispose()
        await self._close_bare()

    async def _close_bare(self) -> None:
        if "sqlite" in self.__dict__:
            self.sqlite.close()
            del self.__dict__["sqlite"]
        if "postgres" in self.__dict__:
            await self.postgres.close(self._shutdown_timeout)
            del self.__dict__["postgres"]
