"""What a thread that owns a SQLite connection is asked to run, alone or joined with others."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from modhost.database.sqlite.connection import begin_immediate

T = TypeVar("T")


class Call(Generic[T]):
    """Work to run over the connection, and the future of whoever waits for it."""

    __slots__ = ("_loop", "error", "future", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self.work = work
        self.future: asyncio.Future[T] = self._loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Run the work, and keep what it returns or raises."""
        try:
            self.result = self.work(connection)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            self.error = error

    def tell(self) -> None:
        """Tell whoever waits."""
        # A loop that was closed meanwhile has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


def run_each(connection: sqlite3.Connection, calls: Sequence[Call[Any]]) -> None:
    """Run the calls in turn."""
    for call in calls:
        call.run(connection)


def run_in_one_transaction(connection: sqlite3.Connection, calls: Sequence[Call[Any]]) -> None:
    """Run the calls in one write transaction, and thus one wait for the disk.

    Each is all or nothing by itself: one that raises is rolled back alone, and only what undoes
    the transaction, such as a full disk, fails them all.
    """
    try:
        begin_immediate(connection)
        if len(calls) == 1:
            _run_alone(connection, calls[0])
        else:
            for call in calls:
                _run_within(connection, call)
        connection.execute("COMMIT")
    except BaseException as error:  # noqa: BLE001 - raised where it is awaited
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for call in calls:
            call.error = call.error or error


def _run_alone(connection: sqlite3.Connection, call: Call[Any]) -> None:
    call.run(connection)
    if call.error is not None:
        raise call.error


def _run_within(connection: sqlite3.Connection, call: Call[Any]) -> None:
    connection.execute("SAVEPOINT one_call")
    call.run(connection)
    if call.error is not None:
        if not connection.in_transaction:
            raise call.error
        connection.execute("ROLLBACK TO one_call")
    connection.execute("RELEASE one_call")
