"""Jobs as rows: live and finished ones read as if they were one table."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Table,
    bindparam,
    cast,
    false,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.model.flow import limits_of, words_of
from modhost_background_jobs.storage.columns import ROW
from modhost_background_jobs.storage.tables import FINISHED, JOBS

_IDS: Final = "ids"


def select_rows(table: Table, *more: str) -> Select[Any]:
    """Select what a `JobRow` has, and more columns, of either table: a union reads both alike."""
    return select(*(_column(table, name) for name in (*ROW, *more)))


def both_tables(*more: str, where: str) -> Select[Any]:
    """Select the jobs whose id is, or is among, the parameter `where`.

    One statement reads both tables: between its parts no job can move from one to the other.
    """
    wanted: Any = bindparam(where, expanding=where == _IDS)
    parts = [
        select_rows(table, *more).where(
            table.c.id.in_(wanted) if where == _IDS else table.c.id == wanted
        )
        for table in (JOBS, FINISHED)
    ]
    return select(union_all(*parts).subquery())


def job_row(found: Mapping[str, Any]) -> JobRow:
    """Return the job of a row that `select_rows` selected."""
    read = {
        "state": JobState(found["state"]),
        "tags": words_of(found["tags"]),
        "limits": limits_of(found["limits"]),
    }
    return JobRow(**{name: found[name] for name in ROW} | read)


async def fetch_rows(
    connection: AsyncConnection, statement: Select[Any], bound: Mapping[str, Any] | None = None
) -> list[JobRow]:
    """Return the jobs that a statement selects, with values for its parameters."""
    return [job_row(row) for row in (await connection.execute(statement, bound)).mappings()]


async def rows_of(connection: AsyncConnection, ids: Sequence[UUID]) -> list[JobRow]:
    """Return the jobs with these ids that exist, in the order of the ids."""
    if not ids:
        return []
    rows = {row.id: row for row in await fetch_rows(connection, _by_ids(), {_IDS: ids})}
    return [rows[id_] for id_ in ids if id_ in rows]


@cache
def _by_ids() -> Select[Any]:
    # Made once: a statement costs more to make than to run.
    return both_tables(where=_IDS)


def _column(table: Table, name: str) -> ColumnElement[Any]:
    if name in table.c:
        return table.c[name]
    other = (FINISHED if table is JOBS else JOBS).c[name]
    absent = false() if isinstance(other.type, Boolean) else cast(null(), other.type)
    return absent.label(name)
