"""Migrations that wait for those of others: no limit gives them up, and the wait is reported."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import anyio
import asyncpg
import pytest
from sqlalchemy.engine import make_url

from modhost.database import Database, engines
from modhost.database.migrations import migrate, running
from modhost.database.postgres import connector
from modhost.database.schemas import Migrations
from postgres import Postgres

pytestmark = pytest.mark.anyio

IDENTITY = [Migrations("modhost", "modhost.migrations")]
LIMIT_SECONDS = 0.5
"""Of statements too that wait for nothing, on a busy machine."""
PATIENCE_SECONDS = 0.1


@asynccontextmanager
async def another_migrates(url: str) -> AsyncIterator[None]:
    """Hold what a migration holds."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as holder:
            holder.execute("PRAGMA journal_mode = WAL")
            holder.execute("BEGIN IMMEDIATE")
            yield
    else:
        connection = await asyncpg.connect(url)
        await connection.execute(f"SELECT pg_advisory_lock({running._ADVISORY_LOCK})")
        yield
        await connection.close()


async def test_a_migration_waits_for_another_beyond_all_limits(
    empty_database_url: str,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a minute it was `TimeoutError. Check that the server runs`."""
    monkeypatch.setattr(connector, "_ANSWER_SECONDS", LIMIT_SECONDS)
    monkeypatch.setattr(engines, "LOCK_DEADLINE_SECONDS", LIMIT_SECONDS)
    monkeypatch.setattr(running, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    if not empty_database_url.startswith("sqlite"):
        name = make_url(empty_database_url).database
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            postgres.run(f"ALTER DATABASE \"{name}\" SET {limit} = '{LIMIT_SECONDS * 1000:g}'")
    async with Database(empty_database_url).open() as database, anyio.create_task_group() as group:
        async with another_migrates(empty_database_url):
            group.start_soon(migrate, database, IDENTITY)
            with anyio.fail_after(20):
                while "the migration waits for it" not in caplog.text:
                    await anyio.sleep(0.01)
            await anyio.sleep(1.2 * LIMIT_SECONDS)
    async with Database(empty_database_url).open() as database:
        assert await migrate(database, IDENTITY) == []
