"""Data that are too large for a job's row on SQLite, which reads a row from its beginning.

They are in a table of their own, so that lists of jobs, claims and progress do not read or write
them. PostgreSQL keeps large values apart by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.storage.tables import LARGE_DATA

MAX_IN_ROW: Final = 16_000
"""How many characters of data stay in the row of their job."""
ELSEWHERE: Final = ""
"""What the row has instead; no JSON is so short."""


def is_large(data: str | None) -> bool:
    """Return whether SQLite keeps these data apart from their job."""
    return data is not None and len(data) > MAX_IN_ROW


async def insert_with_data(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert jobs into one of their tables, and large data where this database keeps them."""
    await connection.execute(insert(table), [in_row(connection, row) for row in rows])
    await insert_large(connection, rows)


def in_row(connection: AsyncConnection, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what stands in the row of a job."""
    return {**row, "data": ELSEWHERE} if _is_apart(connection, row) else row


async def insert_large(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the data that do not stand in the rows of their jobs."""
    large = [
        {"job_id": row["id"], "data": row["data"]} for row in rows if _is_apart(connection, row)
    ]
    if large:
        await connection.execute(insert(LARGE_DATA), large)


async def data_of(connection: AsyncConnection, job_id: UUID, stored: str | None) -> str | None:
    """Return the data of a job whose row has `stored`."""
    if stored != ELSEWHERE:
        return stored
    reading = select(LARGE_DATA.c.data).where(LARGE_DATA.c.job_id == job_id)
    data: str | None = (await connection.execute(reading)).scalar_one_or_none()
    return data


def _is_apart(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    return connection.dialect.name == "sqlite" and is_large(row["data"])
