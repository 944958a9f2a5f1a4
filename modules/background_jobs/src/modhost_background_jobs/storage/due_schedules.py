"""The looks at schedules that every consumer takes again and again, on the bare driver's terms."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table

from modhost.database import Database, SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs.storage.postgres import statements as postgres_schedule_statements
from modhost_background_jobs.storage.sqlite import statements as sqlite_statements
from modhost_background_jobs.storage.tables import Occurrence

OCCURRENCES: Final[Table] = Occurrence.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class DueSchedules:
    """What schedules ask for: those that are due, when the first is, and whether runs wait."""

    due: list[UUID]
    next_due: datetime | None
    has_waiting_runs: bool


async def poll_schedules(database: Database, now: datetime) -> DueSchedules:
    """Return what there is to do, by one statement without a transaction around."""
    if database.dialect == "sqlite":
        return await _look_at_file(database.sqlite, now)
    async with database.postgres.acquire() as connection:
        row = await connection.fetchrow(postgres_schedule_statements.POLL_SCHEDULES, now)
    return DueSchedules(row[0] or [], row[1], has_waiting_runs=row[2])


async def forget_occurrences(database: Database, before: datetime) -> int:
    """Delete the record of due times that fired before a time; return how many."""
    if database.dialect == "sqlite":
        return await _forget_on_sqlite(database.sqlite, [to_sqlite(before)])
    async with database.postgres.acquire() as connection:
        forgotten: int = await connection.fetchval(
            postgres_schedule_statements.FORGET_OCCURRENCES, before
        )
    return forgotten


async def _forget_on_sqlite(sqlite: SqliteAccess, before: list[str]) -> int:
    def forget(connection: sqlite3.Connection) -> int:
        connection.execute(sqlite_statements.KEEP_FORGOTTEN, before)
        return connection.execute(sqlite_statements.FORGET_OCCURRENCES, before).rowcount

    has_old = await sqlite.read(
        lambda connection: connection.execute(sqlite_statements.OLD_OCCURRENCES, before).fetchone()
    )
    return await sqlite.write(forget) if has_old else 0


async def _look_at_file(sqlite: SqliteAccess, now: datetime) -> DueSchedules:
    due, first, is_waiting = await sqlite.read(
        lambda connection: connection.execute(
            sqlite_statements.POLL_SCHEDULES, [to_sqlite(now)]
        ).fetchone()
    )
    next_due = None if first is None else from_sqlite(first)
    return DueSchedules(
        list(map(UUID, json.loads(due))), next_due, has_waiting_runs=bool(is_waiting)
    )
