"""A SQLite connection with the thread that alone uses it."""

import asyncio
import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar

import anyio

T = TypeVar("T")

LOCK_DEADLINE_SECONDS: Final = 30.0

# Short, and tried again: SQLite's own pauses grow to 100 ms, by which a busy neighbour starves us.
_BUSY_TIMEOUT_MS: Final = 20


def connect(path: Path, *, query_only: bool) -> sqlite3.Connection:
    """Open a connection as all connections of the host are: WAL, durable, foreign keys checked."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        prepare(connection, busy_timeout_ms=_BUSY_TIMEOUT_MS, query_only=query_only)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: Any, *, busy_timeout_ms: int, query_only: bool) -> None:
    """Set what SQLite does not remember. `FULL`: a commit is on disk when it returns."""
    cursor = connection.cursor()
    # Turning to WAL needs the file for itself; a busy neighbour is waited for.
    cursor.execute(f"PRAGMA busy_timeout = {int(LOCK_DEADLINE_SECONDS * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")
    cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    cursor.close()


def begin_immediate(connection: sqlite3.Connection) -> None:
    """Begin a write transaction, waiting for that of another process."""
    deadline = time.monotonic() + LOCK_DEADLINE_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - not for secrets
        else:
            return


def in_transaction(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """Return the work wrapped in one write transaction."""

    def transact(connection: sqlite3.Connection) -> T:
        begin_immediate(connection)
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    return transact


class SqliteThread:
    """Runs functions over one connection, in turn, on a thread of their own."""

    def __init__(self, path: Path, *, name: str, query_only: bool) -> None:
        self._path = path
        self._query_only = query_only
        self._calls: SimpleQueue[Callable[[sqlite3.Connection], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work and return its result; a cancelled caller waits for its end."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def call(connection: sqlite3.Connection) -> None:
            try:
                result = work(connection)
            except BaseException as error:  # noqa: BLE001 - raised where it is awaited
                _tell(loop, future.set_exception, error)
            else:
                _tell(loop, future.set_result, result)

        self._calls.put(call)
        with anyio.CancelScope(shield=True):
            await future
        return future.result()

    def stop(self) -> None:
        """Close the connection once what was asked for is done."""
        self._calls.put(None)
        self._thread.join()

    def _main(self) -> None:
        connection: sqlite3.Connection | None = None
        while (call := self._calls.get()) is not None:
            if connection is None:
                connection = connect(self._path, query_only=self._query_only)
            call(connection)
        if connection is not None:
            connection.close()


def _tell(loop: asyncio.AbstractEventLoop, tell: Callable[[Any], None], what: object) -> None:
    # A loop that was closed meanwhile has nobody left who waits.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(tell, what)
