"""How jobs are found and moved on SQLite: the steps of one write transaction."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from modhost.database import to_sqlite
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import UNREGISTERED, Heartbeat, Lease, Released
from modhost_background_jobs.model.poison_jobs import lost_attempt_error, quarantine_error
from modhost_background_jobs.storage.sqlite import statements

MAX_TYPES: Final = 400
"""SQLite joins at most 500 SELECTs."""


def due(connection: sqlite3.Connection, types: list[str], moment: str, limit: int) -> list[str]:
    """Return the ids of the first due jobs; of many types by several statements."""
    found: list[tuple[str, str]] = []
    for first in range(0, len(types), MAX_TYPES):
        some = types[first : first + MAX_TYPES]
        terms = [statements.DUE_OF_TYPE] * len(some)
        parameters = [value for name in some for value in (name, moment)]
        statement = " UNION ALL ".join(terms) + statements.DUE_ORDER
        found += connection.execute(statement, [*parameters, limit]).fetchall()
    if len(types) > MAX_TYPES:
        found.sort(key=lambda row: (row[1], row[0]))
    return [row[0] for row in found[:limit]]


def end(connection: sqlite3.Connection, rows: list[list[object]], moment: str) -> list[str]:
    """Move jobs to the finished ones; return the ids of those whose lease held."""
    values = [json.dumps(rows), moment]
    ids = [row[0] for row in connection.execute(statements.END, values).fetchall()]
    connection.execute(statements.REMOVE, [json.dumps(ids)])
    return ids


def to_pending(
    connection: sqlite3.Connection,
    released: list[Released],
    rescues: Sequence[int | None],
    moment: str,
) -> None:
    """Put jobs back whose lease holds, each with its new number of rescues, None for the old."""
    notes = [[str(r.lease.job_id), r.error] for r in released if r.error is not None]
    connection.execute(statements.NOTE_ATTEMPTS, [json.dumps(notes), moment])
    rows = [
        [str(r.lease.job_id), to_sqlite(r.execute_at), r.error, r.spent, count]
        for r, count in zip(released, rescues, strict=True)
    ]
    connection.execute(statements.TO_PENDING, [json.dumps(rows)])


def rescue(
    connection: sqlite3.Connection, seen: Heartbeat, max_rescues: int, now: datetime
) -> list[tuple[str, str, int, int]]:
    """Take the jobs of a worker back; return their rows of `RESCUABLE`."""
    if not _bury(connection, seen):
        return []
    rows = connection.execute(statements.RESCUABLE, [seen.worker, max_rescues]).fetchall()
    error = lost_attempt_error(seen.worker)
    again = [row for row in rows if row[1] == JobState.PENDING]
    back = [Released(Lease(UUID(row[0]), row[2]), now, error, spent=False) for row in again]
    to_pending(connection, back, [row[3] for row in again], to_sqlite(now))
    over: list[list[object]] = [
        [id_, fence, state, quarantine_error(max_rescues) if state == JobState.FAILED else None]
        for id_, state, fence, _ in rows
        if state != JobState.PENDING
    ]
    end(connection, over, to_sqlite(now))
    return rows


def _bury(connection: sqlite3.Connection, seen: Heartbeat) -> bool:
    if seen.beats == UNREGISTERED:
        return not connection.execute(statements.IS_REGISTERED, [seen.worker]).fetchone()
    row = [seen.worker, seen.beats]
    return connection.execute(statements.BURY, row).rowcount > 0
