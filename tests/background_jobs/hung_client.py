"""Another program's transaction on PostgreSQL, which has locked rows and hangs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg


@asynccontextmanager
async def rows_locked(url: str, table: str, condition: str = "true") -> AsyncIterator[None]:
    """Lock the rows of a table of the queue, as for an update, within the block."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("BEGIN")
        locked = f"SELECT 1 FROM background_jobs.{table} WHERE {condition} FOR UPDATE"
        assert await connection.fetch(locked)
        yield
    finally:
        await connection.close()
