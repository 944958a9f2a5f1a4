"""PostgreSQL without the ORM: for statements that run thousands of times a second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio

from modhost.calls.own_loop import OwnLoop
from modhost.database.failures import spoils_session
from modhost.database.pools import PoolUse
from modhost.database.postgres.connector import PostgresConnector

MAX_CONNECTIONS: Final = 10
LOCK_SECONDS: Final = 0.8
"""How long a statement of the pool waits for a row that somebody else has locked.

Less than the second after which PostgreSQL searches for deadlocks: where a session waits for the
pool as well, it is the statement that gives way, which is tried again.
"""
ROLLBACK_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 20.0
# Plans are kept: one that is made while a table is empty has to serve when it is full.
_SETTINGS: Final = (
    f"SET lock_timeout = '{1000 * LOCK_SECONDS:g}ms'; SET enable_seqscan = off; SET jit = off"
)


class PostgresAccess:
    """asyncpg connections: from a pool, or dedicated ones."""

    def __init__(self, connector: PostgresConnector, loop: OwnLoop) -> None:
        self._connector = connector
        self._loop = loop
        self._asyncpg = connector.asyncpg
        self._pool: Any = None
        self._opening = anyio.Lock()
        self.errors: tuple[type[Exception], ...] = (
            OSError,
            TimeoutError,
            EOFError,
            self._asyncpg.PostgresError,
            self._asyncpg.InterfaceError,
            self._asyncpg.InternalClientError,
        )
        """What the driver raises."""

    @asynccontextmanager
    async def acquire(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """Lend a connection from the pool; one that the server has closed is replaced.

        After an error that would repeat itself on the same sessions all of them are replaced.
        `timeout`, in seconds, bounds the wait for a connection and that for its return.
        """
        self._loop.check()
        pool = self._pool or await self._open_pool()
        async with pool.acquire(timeout=timeout) as connection:
            try:
                yield connection
            except Exception as error:
                if spoils_session(error):
                    # The pool has taken it back already when it was closed from outside.
                    with suppress(self._asyncpg.InterfaceError):
                        connection.terminate()
                    await pool.expire_connections()
                raise
            except anyio.get_cancelled_exc_class():
                await self._roll_back(connection)
                raise

    async def fetch(
        self, statement: str, *parameters: Any, timeout: float | None = None
    ) -> list[Any]:
        """Run one statement on a connection of the pool and return its rows.

        `timeout`, in seconds, bounds the wait for a connection and again that for the answer;
        without it only the answer is bounded, by a minute.
        """
        async with self.acquire(timeout) as connection:
            rows: list[Any] = await connection.fetch(statement, *parameters, timeout=timeout)
        return rows

    async def fetchval(self, statement: str, *parameters: Any, timeout: float | None = None) -> Any:
        """Do as `fetch`, and return the first value of the first row; None without one."""
        async with self.acquire(timeout) as connection:
            return await connection.fetchval(statement, *parameters, timeout=timeout)

    async def execute(self, statement: str, *parameters: Any) -> None:
        """Run one statement whose rows nobody needs."""
        async with self.acquire() as connection:
            await connection.execute(statement, *parameters)

    async def connect(self) -> Any:
        """Open a dedicated connection, e.g. to listen; the caller closes it."""
        return await self._connector.connect()

    def uses(self) -> list[PoolUse]:
        """Return how many connections of the pool are in use; none before its first use."""
        if self._pool is None:
            return []
        idle = self._pool.get_idle_size()
        return [PoolUse("bare", self._pool.get_size() - idle, idle, MAX_CONNECTIONS)]

    @property
    def is_pooled(self) -> bool:
        """Whether sessions are shared with others, by a pooler: what is set there stays there."""
        return self._connector.is_pooled

    async def close(self, seconds: float) -> None:
        """Close the pool, forcibly when the server has not answered for that long."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with anyio.move_on_after(seconds):
            await pool.close()
            return
        pool.terminate()

    async def _roll_back(self, connection: Any) -> None:
        """Roll back a transaction that was cancelled, which the driver's own rollback was too."""
        with anyio.CancelScope(shield=True), suppress(*self.errors):
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)

    async def _open_pool(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await self._asyncpg.create_pool(
                    connect=self._connector.connect,
                    min_size=0,
                    max_size=MAX_CONNECTIONS,
                    max_inactive_connection_lifetime=_IDLE_SECONDS,
                    init=self._prepare,
                    reset=_skip_reset,
                )
            return self._pool

    async def _prepare(self, connection: Any) -> None:
        """Let no statement wait for long for a locked row, nor keep a plan that reads a table.

        Not behind a pooler, which would lend the session to transactions of modules as well; no
        plans are kept there.
        """
        if self._connector.keeps_statements:
            await connection.execute(_SETTINGS)


async def _skip_reset(_connection: Any) -> None:
    """Save the round trip of a reset: nothing here changes a connection's settings."""
