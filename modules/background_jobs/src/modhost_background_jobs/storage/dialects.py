"""What the two databases spell differently besides the statements of the hot path."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, Text, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from modhost.database import SQLITE_LOWER

CHANNEL: Final = "background_jobs"
"""PostgreSQL's channel: `due` for work, `stop` for requests to stop, `flow` for new pauses,
`quiet` for workers that are quieted or resumed, and `end` for the ends of awaited jobs."""

_DATA_AND_INTEGRITY: Final = ("22", "23")
_LOCK_TIMEOUT: Final = "55P03"
_DEADLOCK: Final = "40P01"
_TAKEN_KEY: Final = "23505"


BATCH_SIZE: Final = 5_000
"""How many values one statement compares; both databases allow some more."""


def in_batches(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Return the ids in as many parts as statements have room for."""
    for start in range(0, len(ids), BATCH_SIZE):
        yield ids[start : start + BATCH_SIZE]


async def insert_unless_exists(
    connection: AsyncConnection, table: Table, row: Mapping[str, Any], key: Sequence[str]
) -> bool:
    """Insert a row unless one with the same key exists; return whether it was inserted."""
    insert = _insert(connection, table).values(row).on_conflict_do_nothing(index_elements=key)
    return (await connection.execute(insert)).rowcount > 0


async def insert_free(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    returned: str = "id",
) -> set[Any]:
    """Insert the rows that collide with none, by whatever key; return a column of those."""
    insert = _insert(connection, table).on_conflict_do_nothing().returning(table.c[returned])
    return set((await connection.execute(insert, rows)).scalars())


async def insert_selected(
    connection: AsyncConnection, table: Table, columns: Sequence[str], rows: Select[Any]
) -> set[UUID]:
    """Insert what a statement selects unless that collides; return the ids of those inserted."""
    insert = _insert(connection, table).from_select(columns, rows).on_conflict_do_nothing()
    return set((await connection.execute(insert.returning(table.c.id))).scalars())


async def insert_or_renew(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: str,
    has_ended: ColumnElement[bool],
) -> set[Any]:
    """Insert rows, each in place of one with the same key that has ended; return their keys."""
    insert = _insert(connection, table)
    changed = {name: insert.excluded[name] for name in rows[0] if name != key}
    renewing = insert.on_conflict_do_update(index_elements=[key], set_=changed, where=has_ended)
    return set((await connection.execute(renewing.returning(table.c[key]), rows)).scalars())


async def upsert(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert rows, each in place of one with the same key."""
    insert = _insert(connection, table)
    changed = {name: insert.excluded[name] for name in rows[0] if name not in key}
    await connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), rows)


async def notify(connection: AsyncConnection, payload: str) -> None:
    """Wake other processes when the transaction commits; SQLite's watch the file anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(CHANNEL, payload)))


async def try_lock(connection: AsyncConnection, number: int) -> bool:
    """Take a lock until the transaction ends unless somebody has it; SQLite has one writer."""
    if connection.dialect.name != "postgresql":
        return True
    lock = select(func.pg_try_advisory_xact_lock(number))
    return bool((await connection.execute(lock)).scalar())


class first_line(GenericFunction[str]):  # noqa: N801 - a function of SQL
    """The first line of a text."""

    type = Text()
    inherit_cache = True


@compiles(first_line)
def _on_sqlite(element: first_line, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"substr({text}, 1, instr({text} || char(10), char(10)) - 1)"


@compiles(first_line, "postgresql")
def _on_postgres(element: first_line, compiler: SQLCompiler, **options: Any) -> str:
    return f"split_part({compiler.process(element.clauses, **options)}, chr(10), 1)"


class lowered(GenericFunction[str]):  # noqa: N801 - a function of SQL
    """A text in lower case, all letters of it."""

    type = Text()
    inherit_cache = True


@compiles(lowered)
def _lowered_on_sqlite(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"{SQLITE_LOWER}({compiler.process(element.clauses, **options)})"


@compiles(lowered, "postgresql")
def _lowered_on_postgres(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


class milliseconds_between(GenericFunction[str]):  # noqa: N801 - a function of SQL
    """The whole milliseconds from one moment to another, as a text."""

    type = Text()
    inherit_cache = True


@compiles(milliseconds_between)
def _span_on_sqlite(element: milliseconds_between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(each, **options) for each in element.clauses)
    return f"CAST(CAST(round((julianday({end}) - julianday({start})) * 86400000) AS int) AS text)"


@compiles(milliseconds_between, "postgresql")
def _span_on_postgres(element: milliseconds_between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(each, **options) for each in element.clauses)
    return f"CAST(round(extract(epoch FROM {end} - {start}) * 1000) AS bigint)::text"


def is_integrity_error(error: BaseException) -> bool:
    """Return whether the database, or its driver, rejected the values, and so stored nothing.

    After any other error the statement may have been committed all the same.
    """
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError)):
        return True
    return str(getattr(error, "sqlstate", None))[:2] in _DATA_AND_INTEGRITY


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether a statement waited too long for what somebody else has locked."""
    return getattr(error, "sqlstate", None) == _LOCK_TIMEOUT


def is_deadlock(error: BaseException | None) -> bool:
    """Return whether PostgreSQL has ended a transaction since another one waits for it as well."""
    return getattr(error, "sqlstate", None) == _DEADLOCK


def is_taken_key(error: BaseException) -> bool:
    """Return whether PostgreSQL rejected a row since another one has its key."""
    return getattr(error, "sqlstate", None) == _TAKEN_KEY


def _insert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
