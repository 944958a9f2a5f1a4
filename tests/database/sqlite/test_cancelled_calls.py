"""A call of the bare driver that is cancelled is waited for, however its task is cancelled."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from modhost.database import Database

pytestmark = pytest.mark.anyio


class Held:
    """Work of a thread that ends when it may."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self.has_ended = False

    def __call__(self, connection: sqlite3.Connection) -> None:
        self.has_begun.set()
        self.may_end.wait(30)
        self.has_ended = True


def cancelled_by_scope(scope: anyio.CancelScope, _task: asyncio.Task[Any]) -> None:
    scope.cancel()


def cancelled_by_name(_scope: anyio.CancelScope, task: asyncio.Task[Any]) -> None:
    task.cancel()


def cancelled_twice(_scope: anyio.CancelScope, task: asyncio.Task[Any]) -> None:
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, task.cancel)


@pytest.mark.parametrize("method", ["read", "write"])
@pytest.mark.parametrize("cancel", [cancelled_by_scope, cancelled_by_name, cancelled_twice])
async def test_who_is_cancelled_waits_for_the_end(
    sqlite_url: str,
    method: str,
    cancel: Callable[[anyio.CancelScope, asyncio.Task[Any]], None],
) -> None:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    async with Database(sqlite_url).open_bare() as database:
        work, scope, seen = Held(), anyio.CancelScope(), []

        async def call() -> None:
            with scope:
                try:
                    await getattr(database.sqlite, method)(work)
                finally:
                    seen.append(work.has_ended)

        task = asyncio.create_task(call())
        await asyncio.to_thread(work.has_begun.wait)
        cancel(scope, task)
        await asyncio.sleep(0.1)
        assert seen == []
        work.may_end.set()
        await asyncio.wait([task])
        assert seen == [True]
        assert await database.sqlite.fetch("SELECT 1") == [(1,)]
    loop.set_exception_handler(None)
    assert complaints == []
