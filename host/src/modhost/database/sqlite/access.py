"""SQLite without the ORM: for statements that run thousands of times a second."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from modhost.calls.own_loop import OwnLoop
from modhost.database.sqlite.connection import ConnectionThread, connect
from modhost.database.sqlite.wal_watch import WalWatch, watch_wal
from modhost.database.sqlite.write_lock import WriteLock

T = TypeVar("T")


class SqliteAccess:
    """Plain functions over `sqlite3` connections, one to write and one to read."""

    def __init__(self, path: Path, write_lock: WriteLock, loop: OwnLoop) -> None:
        self._path = path
        self._loop = loop
        self._write_lock = write_lock
        self._writer: ConnectionThread | None = None
        self._reader: ConnectionThread | None = None
        self._observer: sqlite3.Connection | None = None
        self._gives_up = threading.Event()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in a `BEGIN IMMEDIATE` transaction and return its result once it is on disk.

        Concurrent writes share the transaction, each within a savepoint: when the work raises, it
        is rolled back alone. Another process's write is waited for, up to 30 s.
        """
        self._loop.check()
        async with self._write_lock.shared():
            if self._writer is None:
                self._writer = ConnectionThread(
                    self._path, self._gives_up, name="sqlite writer", query_only=False
                )
            return await self._writer.run(work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work on a connection that cannot write, in parallel to any writer."""
        self._loop.check()
        if self._reader is None:
            self._reader = ConnectionThread(
                self._path, self._gives_up, name="sqlite reader", query_only=True
            )
        return await self._reader.run(work)

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement as `write` does, and return the number of affected rows."""
        return await self.write(lambda db: db.execute(statement, parameters).rowcount)

    async def execute_returning(
        self, statement: str, parameters: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement as `write` does, and return the rows of its `RETURNING`."""
        return await self.write(lambda db: db.execute(statement, parameters).fetchall())

    async def fetch(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query as `read` does, and return its rows."""
        return await self.read(lambda db: db.execute(statement, parameters).fetchall())

    async def fetch_one(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one query as `read` does, and return its first row, None without one."""
        return await self.read(lambda db: db.execute(statement, parameters).fetchone())

    def data_version(self) -> int:
        """Return a number that changes with every commit of any other connection.

        It takes microseconds, and is therefore called on the event loop.
        """
        if self._observer is None:
            self._observer = connect(self._path, query_only=True)
        try:
            version: int = self._observer.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self._observer.close()
            self._observer = None
            raise
        return version

    def watch(self) -> AbstractContextManager[WalWatch]:
        """Watch for writes of any connection of any process to this database."""
        self.data_version()
        return watch_wal(self._path)

    def stop_waiting(self) -> None:
        """Fail what waits for a lock of another process, from now on."""
        self._gives_up.set()

    def close(self) -> None:
        """Close all connections."""
        for thread in (self._writer, self._reader):
            if thread is not None:
                thread.stop()
        if self._observer is not None:
            self._observer.close()
        self._writer = self._reader = self._observer = None
