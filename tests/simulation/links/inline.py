"""All in the thread of the simulation: to ask another costs more than most statements."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, TypeVar
from unittest.mock import patch

import aiosqlite

from modhost.database.sqlite import access
from modhost.database.sqlite.connection import connect

T = TypeVar("T")


class InnerLoop:
    """An event loop that runs only within calls, also while another one of its thread runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def run(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Run a coroutine to its end, while the other loop stands still."""
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return self._loop.run_until_complete(_awaited(function, arguments))
        finally:
            asyncio._set_running_loop(outer)

    @contextmanager
    def entered(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter and leave a context manager that keeps no scope open between."""
        value = self.run(manager.__aenter__)
        try:
            yield value
        finally:
            self.run(manager.__aexit__, None, None, None)

    def close(self) -> None:
        self._loop.close()


async def _awaited(function: Callable[..., Awaitable[T]], arguments: tuple[Any, ...]) -> T:
    return await function(*arguments)


class _InlineConnection:
    """`ConnectionThread` without its thread."""

    def __init__(self, path: Path, _gives_up: Event, *, name: str, query_only: bool) -> None:
        self._connection = connect(path, query_only=query_only)
        self._query_only = query_only

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return (
            work(self._connection) if self._query_only else in_transaction(self._connection, work)
        )

    def stop(self) -> None:
        self._connection.close()


def in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do work in a write transaction, which nobody else has at the moment."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return result


async def _execute(
    self: aiosqlite.Connection, function: Callable[..., T], *arguments: Any, **settings: Any
) -> T:
    return function(*arguments, **settings)


@contextmanager
def run_sqlite_inline() -> Iterator[None]:
    """Let connections that are opened and used in the block do so without threads."""
    with (
        patch.object(access, "ConnectionThread", _InlineConnection),
        patch.object(aiosqlite.Connection, "_execute", _execute),
    ):
        yield
