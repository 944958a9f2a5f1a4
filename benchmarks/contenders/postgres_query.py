"""A question to a PostgreSQL database, over a connection of its own."""

from typing import Any

import asyncpg


async def ask(url: str, statement: str, *values: Any) -> Any:
    """Run a statement and return the first value of its first row."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def run(url: str, statement: str, *values: Any) -> None:
    """Run a statement, or several without values."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, *values, timeout=3600)
    finally:
        await connection.close()
