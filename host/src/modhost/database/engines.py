"""Create SQLAlchemy's engines: one to write, one to read."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import URL, Connection, ExceptionContext, NullPool, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from modhost.database.failures import spoils_session
from modhost.database.pools import MORE_SESSIONS, READERS, SESSIONS
from modhost.database.postgres.connector import PostgresConnector
from modhost.database.sqlite.connection import (
    BUSY_TIMEOUT_MS,
    LOCK_DEADLINE_SECONDS,
    configure,
    pause_while_busy,
)
from modhost.database.sqlite.dialect import DRIVER
from modhost.database.sqlite.write_lock import WriteLock


def open_sqlite(path: Path, write_lock: WriteLock) -> tuple[AsyncEngine, AsyncEngine]:
    """Return the engine of the one writer, and that of the readers."""
    url = URL.create(DRIVER, database=str(path))
    writer = _create(url, pool_size=1, max_overflow=0)
    reader = _create(url, pool_size=READERS, max_overflow=0)
    for engine, begin, query_only in (
        (writer, partial(_begin_to_write, write_lock), False),
        (reader, _begin_to_read, True),
    ):
        _shield_connections(engine)
        _begin_with(engine, begin, query_only=query_only)
    return writer, reader


def open_postgres(connector: PostgresConnector) -> tuple[AsyncEngine, AsyncEngine]:
    """Return the engine of writers, and that of readers, over one pool."""
    settings: dict[str, Any] = {"async_creator_fn": connector.connect}
    if not connector.keeps_statements:
        # Unnamed statements: the next transaction may be sent to another server process.
        settings |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    url = URL.create("postgresql+asyncpg")
    size = {"pool_size": SESSIONS, "max_overflow": MORE_SESSIONS}
    engine = _create(url, pool_pre_ping=True, connect_args=settings, **size)
    event.listen(engine.sync_engine, "handle_error", _replace_spoilt_sessions)
    event.listen(engine.sync_engine, "connect", lambda *_: _name_schemas(engine))
    return engine, engine.execution_options(postgresql_readonly=True)


def open_unbounded(connector: PostgresConnector) -> AsyncEngine:
    """Return an engine that waits for an answer as long as that takes, and keeps nothing open."""
    settings = {
        "async_creator_fn": partial(connector.connect, command_timeout=None),
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": str,
    }
    url = URL.create("postgresql+asyncpg")
    engine = _create(url, poolclass=NullPool, connect_args=settings)
    event.listen(engine.sync_engine, "connect", lambda *_: _name_schemas(engine))
    return engine


def _replace_spoilt_sessions(context: ExceptionContext) -> None:
    """Have this connection and all that were opened before closed: they would fail as well."""
    if context.original_exception is not None and spoils_session(context.original_exception):
        context.is_disconnect = True


def _name_schemas(engine: AsyncEngine) -> None:
    """Let nothing that is reflected be without its schema.

    Where the role is named like a module, the module's schema is the default one.
    """
    engine.dialect.default_schema_name = None


def _create(url: URL, **settings: Any) -> AsyncEngine:
    # Errors are logged, and the values of a statement must not be.
    return create_async_engine(url, hide_parameters=True, **settings)


def _shield_connections(engine: AsyncEngine) -> None:
    """Shield the opening, resetting and closing of connections, all short, from cancellation.

    Each has a thread of the driver's. A cancelled opening leaves it behind with an open file; a
    cancelled closing stops it twice, and the second stop is awaited forever: the process hangs. A
    cancelled reset is logged with its traceback.
    """
    dialect = engine.dialect
    for name in ("connect", "do_rollback", "do_close", "do_terminate"):
        setattr(dialect, name, _shielded(getattr(dialect, name)))


def _shielded(step: Callable[..., Any]) -> Callable[..., Any]:
    def shielded(*arguments: Any, **settings: Any) -> Any:
        with anyio.CancelScope(shield=True):  # noqa: ASYNC100 - the step awaits in a greenlet
            return step(*arguments, **settings)

    return shielded


def _begin_with(
    engine: AsyncEngine, begin: Callable[[Connection], None], *, query_only: bool
) -> None:
    """Begin transactions explicitly: the driver begins them too late, and loses updates."""

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        busy_timeout = LOCK_DEADLINE_SECONDS * 1000 if query_only else BUSY_TIMEOUT_MS
        configure(connection, busy_timeout_ms=int(busy_timeout), query_only=query_only)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begin)


def _begin_to_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_to_write(write_lock: WriteLock, connection: Connection) -> None:
    """Wait for the writer of another process, in the event loop: that can be cancelled."""
    deadline = time.monotonic() + LOCK_DEADLINE_SECONDS
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                pause = pause_while_busy(error.orig, deadline)
                if pause is None:
                    raise
                write_lock.waits_for_file = True
                await_only(anyio.sleep(pause))
            else:
                return
    finally:
        write_lock.waits_for_file = False
