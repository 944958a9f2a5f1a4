"""Keeping workers from storing how jobs ended, while the jobs themselves run."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import asyncpg

HOLD = "LOCK TABLE background_jobs.finished_jobs IN ACCESS EXCLUSIVE MODE"
WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""
# A dead client's statement would still be carried out when the lock is gone.
END_THE_WAITING = f"SELECT pg_terminate_backend(pid, 5000) FROM ({WAITING}) waiting"


@asynccontextmanager
async def ends_held(database_url: str) -> AsyncIterator[None]:
    """Let no job end until the block has finished; what waits for it then is never carried out.

    Those who waited must be dead by the end of the block.
    """
    if database_url.startswith("sqlite"):
        async with _sqlite_held(database_url.removeprefix("sqlite:///")):
            yield
    else:
        async with _postgres_held(database_url):
            yield


@asynccontextmanager
async def _sqlite_held(path: str) -> AsyncIterator[None]:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        await anyio.to_thread.run_sync(connection.execute, "BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


@asynccontextmanager
async def _postgres_held(url: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(HOLD)
            yield
            with anyio.fail_after(30):
                while await connection.fetch(WAITING):
                    await connection.fetch(END_THE_WAITING)
    finally:
        await connection.close()
