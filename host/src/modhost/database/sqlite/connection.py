"""SQLite connections: how the host configures them, and the thread that owns one."""

import asyncio
import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

import anyio

T = TypeVar("T")

LOCK_DEADLINE_SECONDS: Final = 30.0

LOWER: Final = "modhost_lower"
"""The function that writes all letters small; SQLite's own knows those of English alone."""

# Short, and retried: SQLite's own pauses grow to 100 ms, by which a busy neighbour starves us.
BUSY_TIMEOUT_MS: Final = 20
BATCH_SIZE: Final = 64


def connect(path: Path, *, query_only: bool) -> sqlite3.Connection:
    """Open a configured connection. Raises `sqlite3.Error`."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        configure(connection, busy_timeout_ms=BUSY_TIMEOUT_MS, query_only=query_only)
    except BaseException:
        connection.close()
        raise
    return connection


def configure(connection: Any, *, busy_timeout_ms: int, query_only: bool) -> None:
    """Set WAL, foreign keys, and `FULL`: a commit is on disk when it returns."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(LOCK_DEADLINE_SECONDS * 1000)}")
    # Switching a file to WAL locks it exclusively, and SQLite waits for that lock only while
    # nobody else wants it too.
    _retry_while_busy(cursor.execute, "PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")
    cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    cursor.close()
    connection.create_function(LOWER, 1, _lowered, deterministic=True)


def _lowered(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def begin_immediate(connection: sqlite3.Connection, gives_up: threading.Event) -> None:
    """Begin a write transaction, waiting for that of another process, until that is given up."""
    _retry_while_busy(connection.execute, "BEGIN IMMEDIATE", gives_up)


def pause_while_busy(error: BaseException | None, deadline: float) -> float | None:
    """Return the seconds after which to retry what met a lock; None for any other error."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if code & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
        return None
    return random.uniform(0.0005, 0.003)  # noqa: S311 - not for secrets


def _retry_while_busy(
    execute: Callable[[str], Any], statement: str, gives_up: threading.Event | None = None
) -> None:
    deadline = time.monotonic() + LOCK_DEADLINE_SECONDS
    while True:
        try:
            execute(statement)
        except sqlite3.OperationalError as error:
            pause = pause_while_busy(error, deadline)
            if pause is None or (gives_up is not None and gives_up.is_set()):
                raise
            time.sleep(pause)
        else:
            return


class ConnectionThread:
    """Run functions over one connection, in turn, on a thread of its own.

    A thread that writes batches the calls that wait into one transaction, and thus one wait for
    the disk.
    """

    def __init__(
        self, path: Path, gives_up: threading.Event, *, name: str, query_only: bool
    ) -> None:
        self._path = path
        self._gives_up = gives_up
        self._query_only = query_only
        self._connection: sqlite3.Connection | None = None
        self._calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work and return its result; a cancelled caller waits for its end."""
        call = _Call(work)
        self._calls.put(call)
        with anyio.CancelScope(shield=True):
            try:
                await call.future
            except asyncio.CancelledError:
                await call.ended()
                raise
        return call.future.result()

    def stop(self) -> None:
        """Close the connection after the calls that are queued."""
        self._calls.put(None)
        self._thread.join()

    def _main(self) -> None:
        while calls := self._next_batch():
            self._run(calls)
            for call in calls:
                call.resolve()
        self._disconnect()

    def _next_batch(self) -> list["_Call[Any]"]:
        """Wait for a call and return all that are queued, in turn; none at the end."""
        call = self._calls.get()
        calls: list[_Call[Any]] = []
        while call is not None:
            calls.append(call)
            if len(calls) == BATCH_SIZE:
                return calls
            try:
                call = self._calls.get_nowait()
            except Empty:
                return calls
        if calls:
            self._calls.put(None)
        return calls

    def _run(self, calls: Sequence["_Call[Any]"]) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._path, query_only=self._query_only)
            if self._query_only:
                for call in calls:
                    call.run(self._connection)
            else:
                _run_in_one_transaction(self._connection, calls, self._gives_up)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            _fail(calls, error)
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Call(Generic[T]):
    """Work to run over the connection, and the future of its caller."""

    __slots__ = ("_has_ended", "_loop", "error", "future", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self.work = work
        self.future: asyncio.Future[T] = self._loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None
        self._has_ended = False

    def run(self, connection: sqlite3.Connection) -> None:
        """Run the work, and keep what it returns or raises."""
        try:
            self.result = self.work(connection)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            self.error = error

    def resolve(self) -> None:
        """Wake the caller."""
        # Nobody waits any more in a loop that was closed meanwhile.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._set_future)

    async def ended(self) -> None:
        """Wait for the end, whatever it is; a task that is cancelled by name cancels the future."""
        while not self._has_ended:
            self.future = self._loop.create_future()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await self.future

    def _set_future(self) -> None:
        self._has_ended = True
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


def _run_in_one_transaction(
    connection: sqlite3.Connection, calls: Sequence[_Call[Any]], gives_up: threading.Event
) -> None:
    """Run the calls in one write transaction.

    Each is all or nothing: one that raises is rolled back alone, and only what undoes the
    transaction, such as a full disk, fails them all.
    """
    try:
        begin_immediate(connection, gives_up)
        _run_all(connection, calls)
        connection.execute("COMMIT")
    except BaseException as error:  # noqa: BLE001 - raised where it is awaited
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        _fail(calls, error)


def _run_all(connection: sqlite3.Connection, calls: Sequence[_Call[Any]]) -> None:
    has_savepoints = len(calls) > 1
    for call in calls:
        if has_savepoints:
            connection.execute("SAVEPOINT one_call")
        call.run(connection)
        if call.error is not None:
            if not has_savepoints or not connection.in_transaction:
                raise call.error
            connection.execute("ROLLBACK TO one_call")
        if has_savepoints:
            connection.execute("RELEASE one_call")


def _fail(calls: Sequence[_Call[Any]], error: BaseException) -> None:
    for call in calls:
        call.error = call.error or error
