"""What is given up, a connection or a transaction, leaves no complaint in the log."""

import asyncio
import gc
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Final

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from background_jobs.postgres_proxy import PostgresProxy
from modhost.database import Database

pytestmark = pytest.mark.anyio

TURNS: Final = 12
"""Of the event loop: after so many, the driver waits for the server's first answer."""


@pytest.fixture
async def complaints() -> AsyncIterator[list[dict[str, Any]]]:
    """Collect what asyncio would log as errors."""
    found: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: found.append(context))
    yield found
    loop.set_exception_handler(before)


async def test_a_connection_is_given_up_wherever_its_opening_stands(
    postgres_url: str, complaints: list[dict[str, Any]]
) -> None:
    async with PostgresProxy(postgres_url).open() as proxy:
        with proxy.silent():
            for turns in range(TURNS):
                await give_up_after(turns, proxy.url)
        # The proxy has closed its ends meanwhile.
        await anyio.sleep(0.1)
    assert complaints == []


async def test_a_transaction_that_waits_for_a_lock_is_cancelled(
    postgres_url: str, complaints: list[dict[str, Any]]
) -> None:
    lock = "SELECT pg_advisory_xact_lock(1)"
    async with Database(postgres_url).open_bare() as database:
        async with database.postgres.acquire() as holder, holder.transaction():
            await holder.execute(lock)
            with anyio.move_on_after(0.1) as waiting:
                async with database.postgres.acquire() as waiter, waiter.transaction():
                    await waiter.execute("CREATE TABLE given_up ()")
                    await waiter.execute(lock)
            assert waiting.cancelled_caught
        assert await database.postgres.fetchval("SELECT to_regclass('given_up')") is None
    assert complaints == []


async def test_a_session_that_waits_for_a_locked_file_is_cancelled(
    sqlite_url: str, caplog: pytest.LogCaptureFixture, complaints: list[dict[str, Any]]
) -> None:
    with closing(sqlite3.connect(make_url(sqlite_url).database or "")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        async with Database(sqlite_url).open() as database:
            for each in range(40):
                # Between its tries, and within one.
                with anyio.move_on_after(0.02 + each / 1000) as waiting:
                    async with database.session() as session:
                        await (await session.connection()).execute(text("SELECT 1"))
                assert waiting.cancelled_caught
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    assert complaints == []


async def give_up_after(turns: int, url: str) -> None:
    """Open a connection, and give it up after some turns of the event loop."""
    database = Database(url)
    async with database.open_bare(), anyio.create_task_group() as group:

        async def connect() -> None:
            with pytest.raises(ConnectionError, match="given up while it was opened"):
                await database.postgres.connect()

        group.start_soon(connect)
        for _ in range(turns + 1):
            await asyncio.sleep(0)
        database.disconnect(anyio.current_time() + 1)
    await anyio.sleep(0.01)
    gc.collect()
