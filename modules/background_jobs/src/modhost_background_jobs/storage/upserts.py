"""An insert that yields to a row that is there already, on both databases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_unless_there(
    connection: AsyncConnection, table: Table, row: dict[str, Any], key: Sequence[str]
) -> bool:
    """Insert a row unless one with the same key exists; tell whether it was inserted."""
    if connection.dialect.name == "postgresql":
        on_postgres = postgresql.insert(table).values(row)
        result = await connection.execute(on_postgres.on_conflict_do_nothing(index_elements=key))
    else:
        on_sqlite = sqlite.insert(table).values(row)
        result = await connection.execute(on_sqlite.on_conflict_do_nothing(index_elements=key))
    return result.rowcount > 0
