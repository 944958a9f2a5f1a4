"""Block workers from storing completions, while the jobs themselves run."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import asyncpg

BLOCK = "LOCK TABLE background_jobs.finished_jobs IN ACCESS EXCLUSIVE MODE"
WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""
# The statement of a dead client would still be carried out once the lock is released.
END_THE_WAITING = f"SELECT pg_terminate_backend(pid, 5000) FROM ({WAITING}) waiting"


@asynccontextmanager
async def completions_blocked(database_url: str) -> AsyncIterator[None]:
    """Block completions within the block; statements that wait at its end are never carried out.

    The processes that wait must be dead by the end of the block.
    """
    if database_url.startswith("sqlite"):
        async with _sqlite_blocked(database_url.removeprefix("sqlite:///")):
            yield
    else:
        async with _postgres_blocked(database_url):
            yield


@asynccontextmanager
async def _sqlite_blocked(path: str) -> AsyncIterator[None]:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        await anyio.to_thread.run_sync(connection.execute, "BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


@asynccontextmanager
async def _postgres_blocked(url: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(BLOCK)
            yield
            with anyio.fail_after(30):
                while await connection.fetch(WAITING):
                    await connection.fetch(END_THE_WAITING)
    finally:
        await connection.close()
