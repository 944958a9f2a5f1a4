"""A SQLite connection with the thread that alone uses it."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

import anyio

from modhost.database.sqlite.calls import Call, run_each, run_in_one_transaction
from modhost.database.sqlite.connection import connect

T = TypeVar("T")

BATCH_SIZE: Final = 64


class SqliteThread:
    """Runs functions over one connection, in turn, on a thread of their own.

    A thread that writes joins what has come together meanwhile in one transaction.
    """

    def __init__(self, path: Path, *, name: str, query_only: bool) -> None:
        self._path = path
        self._query_only = query_only
        self._run = run_each if query_only else run_in_one_transaction
        self._connection: sqlite3.Connection | None = None
        self._calls: SimpleQueue[Call[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work and return its result; a cancelled caller waits for its end."""
        call = Call(work)
        self._calls.put(call)
        with anyio.CancelScope(shield=True):
            await call.future
        return call.future.result()

    def stop(self) -> None:
        """Close the connection once what was asked for is done."""
        self._calls.put(None)
        self._thread.join()

    def _main(self) -> None:
        while calls := self._next():
            self._perform(calls)
            for call in calls:
                call.tell()
        self._disconnect()

    def _next(self) -> list[Call[Any]]:
        """Wait for calls and return those that are there, in turn; none at the end."""
        call = self._calls.get()
        calls: list[Call[Any]] = []
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

    def _perform(self, calls: Sequence[Call[Any]]) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._path, query_only=self._query_only)
            self._run(self._connection, calls)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            for call in calls:
                call.error = call.error or error
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
