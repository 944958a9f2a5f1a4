"""What several statements of one transaction do, apart from the driver that runs them.

The same rules hold on the bare drivers, where workers end jobs, and in a session of SQLAlchemy,
where people cancel and retry them: a rule is a generator, which yields statements and is sent
their rows.
"""

import sqlite3
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


class Statement(NamedTuple):
    """A statement in the dialect of the database, and what is bound to it."""

    text: str
    values: Sequence[object]


Rows: TypeAlias = Sequence[Sequence[Any]]
Steps: TypeAlias = Generator[Statement, Rows, T]


class PostgresConnection(Protocol):
    """What is needed of a connection of asyncpg."""

    async def fetch(self, query: str, *values: object) -> Rows:
        """Run a statement and return its rows."""


def run_on_sqlite(connection: sqlite3.Connection, steps: Steps[T]) -> T:
    """Take the steps on the bare driver, within the caller's transaction."""
    try:
        statement = next(steps)
        while True:
            rows = connection.execute(statement.text, statement.values).fetchall()
            statement = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_on_postgres(connection: PostgresConnection, steps: Steps[T]) -> T:
    """Take the steps on the bare driver, within the caller's transaction."""
    try:
        statement = next(steps)
        while True:
            rows = await connection.fetch(statement.text, *statement.values)
            statement = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_in_session(connection: AsyncConnection, steps: Steps[T]) -> T:
    """Take the steps on a connection of SQLAlchemy, within the caller's transaction."""
    try:
        statement = next(steps)
        while True:
            found = await connection.exec_driver_sql(statement.text, tuple(statement.values))
            statement = steps.send(found.fetchall() if found.returns_rows else ())
    except StopIteration as end:
        result: T = end.value
        return result


def as_id(value: Any) -> UUID:
    """Return an id of a row, whatever the driver makes of it."""
    return value if isinstance(value, UUID) else UUID(value)
