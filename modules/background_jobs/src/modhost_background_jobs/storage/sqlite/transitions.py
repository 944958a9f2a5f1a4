"""How jobs are found and moved on SQLite: the steps of one write transaction."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from modhost.database import to_sqlite
from modhost_background_jobs import model
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.columns import CLAIMED, flowing_rows
from modhost_background_jobs.storage.large_data import ELSEWHERE, is_large
from modhost_background_jobs.storage.sqlite import comeback_statements as comeback
from modhost_background_jobs.storage.sqlite import insert_statements as inserts
from modhost_background_jobs.storage.sqlite import rows as rows_as
from modhost_background_jobs.storage.sqlite import statements
from modhost_background_jobs.storage.sqlite.workers import bury
from modhost_background_jobs.storage.workflows.ending import end_jobs, take_back_ends
from modhost_background_jobs.storage.workflows.sqlite import SqliteWorkflows
from modhost_background_jobs.storage.workflows.steps import run_on_sqlite

_WORKFLOWS: Final = SqliteWorkflows()
_DATA: Final = CLAIMED.index("data")
MAX_TYPES: Final = 400
"""SQLite joins at most 500 SELECTs."""


def insert(
    connection: sqlite3.Connection,
    rows: list[list[object]],
    large: list[tuple[str, str | None]],
) -> None:
    """Insert jobs, and the data that are too large for their rows."""
    connection.executemany(inserts.INSERT, rows)
    if large:
        connection.executemany(inserts.INSERT_LARGE, large)


def insert_flowing(
    execute: Callable[[str, Any], Iterable[Any]],
    jobs: Sequence[model.NewJob],
    *,
    unless_there: bool = False,
) -> set[UUID]:
    """Insert jobs with their data, tags and words; return the ids of those inserted.

    Args:
        execute: runs a statement in the transaction for a tuple of values and returns its rows, or
            runs it for each tuple of a list.
        jobs: what to insert.
        unless_there: whether those whose id or unique key is taken are left out.

    """
    ids = (json.dumps([str(job.id) for job in jobs]),)
    there = {row[0] for row in execute(inserts.EXISTING, ids)} if unless_there else set()
    rows = [tuple(rows_as.as_stored(row)) for row in flowing_rows(jobs)]
    are_nodes = any(job.node is not None for job in jobs)
    if are_nodes:
        rows = [
            tuple(str(each) if isinstance(each, UUID) else each for each in row) for row in rows
        ]
    execute(inserts.insert_flowing(unless_there=unless_there, are_nodes=are_nodes), rows)
    new = {job.id for job in jobs}
    if unless_there:
        new = {UUID(row[0]) for row in execute(inserts.EXISTING, ids) if row[0] not in there}
    if any(job.flow.tags for job in jobs):
        execute(inserts.INSERT_TAGS, (json.dumps([str(id_) for id_ in new]),))
    if words := [(word, str(job.id)) for job in jobs if job.id in new for word in job.words]:
        execute(inserts.INSERT_WORDS, words)
    if large := [(str(job.id), job.data) for job in jobs if is_large(job.data) and job.id in new]:
        execute(inserts.INSERT_LARGE, large)
    return new


def run(connection: sqlite3.Connection, statement: str, values: Any) -> Iterable[Any]:
    """Run a statement for a tuple of values, or for each of a list."""
    execute = connection.executemany if isinstance(values, list) else connection.execute
    return execute(statement, values)


def claim(connection: sqlite3.Connection, parameters: list[str]) -> list[tuple[Any, ...]]:
    """Claim jobs; return their rows, with their data wherever those are."""
    rows = connection.execute(statements.CLAIM, parameters).fetchall()
    large = [row[0] for row in rows if row[_DATA] == ELSEWHERE]
    if not large:
        return rows
    data = dict(connection.execute(statements.LARGE, [json.dumps(large)]).fetchall())
    return [(*row[:_DATA], data.get(row[0], row[_DATA]), *row[_DATA + 1 :]) for row in rows]


def due(connection: sqlite3.Connection, types: list[str], moment: str, limit: int) -> list[str]:
    """Return the ids of the first due jobs; of many types by several statements."""
    found: list[tuple[str, str]] = []
    for first in range(0, len(types), MAX_TYPES):
        some = types[first : first + MAX_TYPES]
        parameters = [value for name in some for value in (name, moment)]
        terms = " UNION ALL ".join([statements.DUE_OF_TYPE] * len(some))
        found += connection.execute(terms + statements.DUE_ORDER, [*parameters, limit]).fetchall()
    if len(types) > MAX_TYPES:
        found.sort(key=lambda row: (row[1], row[0]))
    return [row[0] for row in found[:limit]]


def end(connection: sqlite3.Connection, rows: list[list[object]], moment: str) -> list[str]:
    """Move jobs to the finished ones; return the ids of those whose lease held."""
    values = [json.dumps(rows), moment]
    ending = statements.END_WITH_RESULTS if max(map(len, rows), default=0) > 4 else statements.END
    ids = [row[0] for row in connection.execute(ending, values).fetchall()]
    connection.execute(statements.REMOVE, [json.dumps(ids)])
    return ids


def end_awaited(
    connection: sqlite3.Connection, ended: Sequence[model.Ended], now: datetime
) -> set[UUID]:
    """End jobs that others may wait for, with all that follows; return those whose lease held."""
    return run_on_sqlite(connection, end_jobs(_WORKFLOWS, ended, now)).held


def release(
    connection: sqlite3.Connection,
    released: Sequence[model.Released],
    now: datetime,
    *,
    end_apart: bool,
) -> tuple[list[str], list[model.Ended]]:
    """Put jobs back, or finish those that were asked to stop; return the ids whose lease held.

    With `end_apart` the latter are returned instead, to be ended.
    """
    released = model.last_of_each_job(released)
    held = _held(connection, [each.lease for each in released])
    again = [each for each in released if held.get(str(each.lease.job_id)) == 0]
    stopped = [each for each in released if held.get(str(each.lease.job_id)) == 1]
    # A job that had started has ended without taking its worker down.
    rescues = [None if each.error is None else 0 for each in again]
    _to_pending(connection, again, rescues, to_sqlite(now))
    ends = [each.as_cancelled for each in stopped]
    if ends and not end_apart:
        end_awaited(connection, ends, now)
    forgotten = [(str(job_id), fence) for job_id, fence in model.leases_to_forget(released)]
    connection.executemany(statements.FORGET_ATTEMPTS, forgotten)
    if end_apart:
        return [str(each.lease.job_id) for each in again], ends
    return list(held), []


def append_logs(
    connection: sqlite3.Connection, lines: Sequence[model.LogLine], keep: int
) -> list[str]:
    """Insert log lines, then trim what exceeds the limit; return the ids whose lease held."""
    held = _held(connection, {each.lease for each in lines})
    rows = [rows_as.log_line(line) for line in lines]
    connection.execute(statements.APPEND_LOGS, [json.dumps(rows)])
    full = {str(line.lease.job_id) for line in lines if line.may_exceed(keep)}
    connection.executemany(statements.TRIM_LOGS, [(id_, keep) for id_ in full.intersection(held)])
    return list(held)


def rescue(
    connection: sqlite3.Connection,
    seen: model.Heartbeat,
    max_rescues: int,
    now: datetime,
    *,
    end_apart: bool,
) -> tuple[list[tuple[str, str, int, int]], list[model.Ended]]:
    """Take the jobs of a worker back; return their rows of `RESCUABLE`.

    With `end_apart` those that have finished are returned as well, to be ended.
    """
    if not bury(connection, seen, now):
        return [], []
    rows = connection.execute(statements.RESCUABLE, [seen.worker, max_rescues]).fetchall()
    connection.execute(statements.COUNT_RESCUED, [seen.worker, len(rows)])
    error = model.lost_attempt_error(seen.worker)
    again = [row for row in rows if row[1] == JobState.PENDING]
    back = [
        model.Released(model.Lease(UUID(id_), fence), error=error) for id_, _, fence, _ in again
    ]
    _to_pending(connection, back, [row[3] for row in again], to_sqlite(now))
    finished = [
        model.rescue_end(model.Lease(UUID(id_), fence), JobState(state), max_rescues)
        for id_, state, fence, _ in rows
        if state != JobState.PENDING
    ]
    if finished and not end_apart:
        end_awaited(connection, finished, now)
    return rows, finished if end_apart else []


def take_back_rescues(
    connection: sqlite3.Connection, lost: Sequence[model.LostLease], now: datetime
) -> None:
    """Take rescues of living workers back, and with them jobs out of quarantine."""
    again: list[tuple[UUID, UUID | None]] = []
    for (job_id, fence), counts in lost:
        lease = (str(job_id), fence)
        is_corrected = connection.execute(comeback.CORRECT, lease).rowcount > 0
        # An attempt that ended by itself has cleared the count of rescues before it.
        if not counts or connection.execute(comeback.ENDED_SINCE, lease).fetchone():
            continue
        if is_corrected:
            connection.execute(comeback.REDUCE, lease[:1])
        values = (*lease, is_corrected)
        connection.execute(comeback.NOTE, values)
        for id_, workflow_id in connection.execute(comeback.RESTORE, values).fetchall():
            again.append((UUID(id_), workflow_id and UUID(workflow_id)))
        connection.execute(comeback.FORGET, values)
    run_on_sqlite(connection, take_back_ends(_WORKFLOWS, again, now))


def _held(connection: sqlite3.Connection, leases: Any) -> dict[str, int]:
    """Return the ids whose lease holds, each with whether the job was asked to stop."""
    rows = json.dumps([[str(job_id), fence] for job_id, fence in leases])
    return dict(connection.execute(statements.HELD, [rows]).fetchall())


def _to_pending(
    connection: sqlite3.Connection,
    released: list[model.Released],
    rescues: Sequence[int | None],
    moment: str,
) -> None:
    """Put jobs back whose lease holds, each with its new number of rescues, None for the old."""
    notes = [[str(each.lease.job_id), each.error] for each in released if each.error is not None]
    connection.execute(statements.NOTE_ATTEMPTS, [json.dumps(notes), moment])
    rows = [
        [str(each.lease.job_id), _moment(each.execute_at), each.error, each.spent, count]
        for each, count in zip(released, rescues, strict=True)
    ]
    connection.execute(statements.TO_PENDING, [json.dumps(rows)])


def _moment(time: datetime | None) -> str | None:
    return None if time is None else to_sqlite(time)
