"""SQLite without the ORM: for statements that run thousands of times a second."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

import anyio

from modhost.database.sqlite_thread import SqliteThread, connect, in_transaction
from modhost.database.wal_watch import WalWatch, watch_wal

T = TypeVar("T")

NESTED: Final = (
    "This task has a session open and asks for another write, which would wait for itself: pass "
    "session=<the open one>, or leave the session first."
)


class WriteTurn:
    """Whose turn it is to write in this process: SQLite has one writer at a time."""

    def __init__(self) -> None:
        self._lock = anyio.Lock()
        self._owner: asyncio.Task[object] | None = None

    def refuse_nested(self) -> None:
        """Raise `RuntimeError` when this very task holds the turn, and would wait for itself."""
        if self._owner is not None and self._owner is asyncio.current_task():
            raise RuntimeError(NESTED)

    async def __aenter__(self) -> None:
        """Wait for the turn and hold it. Raises `RuntimeError` for a task that has it already."""
        try:
            self._lock.acquire_nowait()
        except anyio.WouldBlock:
            await self._lock.acquire()
        except RuntimeError:
            raise RuntimeError(NESTED) from None
        self._owner = asyncio.current_task()

    async def __aexit__(self, *_: object) -> None:
        """Let the next one write."""
        self._owner = None
        self._lock.release()


class SqliteAccess:
    """Plain functions over `sqlite3` connections, each in a thread that is kept."""

    def __init__(self, path: Path, turn: WriteTurn) -> None:
        self._path = path
        self._turn = turn
        self._writer: SqliteThread | None = None
        self._reader: SqliteThread | None = None
        self._observer: sqlite3.Connection | None = None

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in one `BEGIN IMMEDIATE` transaction and return its result.

        It is rolled back when the work raises. Another process's write is waited for, up to 30 s.
        """
        async with self._turn:
            if self._writer is None:
                self._writer = SqliteThread(self._path, name="sqlite writer", query_only=False)
            return await self._writer.run(in_transaction(work))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work on a connection that cannot write, beside any writer."""
        if self._reader is None:
            self._reader = SqliteThread(self._path, name="sqlite reader", query_only=True)
        return await self._reader.run(work)

    def data_version(self) -> int:
        """Return a number that changes with every commit of any other connection.

        It takes microseconds, and is therefore called on the event loop.
        """
        if self._observer is None:
            self._observer = connect(self._path, query_only=True)
        version: int = self._observer.execute("PRAGMA data_version").fetchone()[0]
        return version

    def watch(self) -> AbstractContextManager[WalWatch]:
        """Watch for writes of any connection of any process to this database."""
        self.data_version()
        return watch_wal(self._path)

    def close(self) -> None:
        """Close all connections."""
        for thread in (self._writer, self._reader):
            if thread is not None:
                thread.stop()
        if self._observer is not None:
            self._observer.close()
        self._writer = self._reader = self._observer = None
