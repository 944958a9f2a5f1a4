"""The queue's hot path on SQLite: plain functions over the one writer connection."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from modhost.database import SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue import sqlite_statements as statements
from modhost_background_jobs.queue.quarantine import lost_attempt_error, quarantine_error
from modhost_background_jobs.queue.records import (
    START,
    UNREGISTERED,
    ClaimedJob,
    Ended,
    Heartbeat,
    Lease,
    LogLine,
    NewJob,
    Place,
    ProgressUpdate,
    Released,
    Rescue,
    WorkerInfo,
    first_beat,
)

MOST_TYPES: Final = 400
"""SQLite joins at most 500 SELECTs."""


class SqliteJobStore:
    """Implements `JobStore`; what each method promises is said there."""

    def __init__(self, sqlite: SqliteAccess) -> None:
        self._sqlite = sqlite

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Insert jobs; other processes see that the database changed."""
        rows = [_insert_parameters(job) for job in jobs]
        await self._sqlite.write(lambda connection: connection.executemany(statements.INSERT, rows))

    async def claim(
        self,
        worker: str,
        job_types: Collection[str],
        limit: int,
        now: datetime,
        after: Place = START,
    ) -> list[ClaimedJob]:
        """Claim in the common order of all types; look first, so that idling writes nothing.

        Where the last claim found all it could take there is more, most likely: no look is needed.
        Nor is the place itself, since nothing dead stays in the index here.
        """
        moment = to_sqlite(now)
        types = list(job_types)

        def look(connection: sqlite3.Connection) -> list[str]:
            return _due(connection, types, moment, 1)

        if not job_types or (after is START and not await self._sqlite.read(look)):
            return []

        def claim(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            if not connection.execute(statements.IS_REGISTERED, [worker]).fetchone():
                return []
            ids = _due(connection, types, moment, limit)
            return connection.execute(
                statements.CLAIM, [json.dumps(ids), worker, moment]
            ).fetchall()

        rows = await self._sqlite.write(claim)
        rows.sort(key=lambda row: (row[7], row[0]))
        return [_claimed(row, now) for row in rows]

    async def next_due(self, job_types: Collection[str]) -> datetime | None:
        """Look at the head of each type."""
        names = json.dumps(list(job_types))
        row = await self._sqlite.read(
            lambda connection: connection.execute(statements.NEXT_DUE, [names]).fetchone()
        )
        return from_sqlite(row[0]) if row[0] else None

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones."""
        rows = json.dumps(
            [[str(e.lease.job_id), e.lease.fence, e.state.value, e.error] for e in ended]
        )

        def end(connection: sqlite3.Connection) -> list[str]:
            return _end(connection, rows, to_sqlite(now))

        return _ids(await self._sqlite.write(end))

    async def release(self, released: Sequence[Released], now: datetime) -> set[UUID]:
        """Put jobs back, or end those that were asked to stop."""
        moment = to_sqlite(now)

        def release(connection: sqlite3.Connection) -> list[str]:
            leases = json.dumps([[str(r.lease.job_id), r.lease.fence] for r in released])
            held = dict(connection.execute(statements.HELD, [leases]).fetchall())
            again = [r for r in released if held.get(str(r.lease.job_id)) == 0]
            stopped = [r for r in released if held.get(str(r.lease.job_id)) == 1]
            _to_pending(connection, again, moment)
            _end(connection, json.dumps([_cancelled(r) for r in stopped]), moment)
            return list(held)

        return _ids(await self._sqlite.write(release))

    async def save_progress(self, updates: Sequence[ProgressUpdate]) -> set[UUID]:
        """Update the jobs' progress."""
        rows = json.dumps([_progress_row(update) for update in updates])
        found = await self._sqlite.write(
            lambda connection: connection.execute(statements.SAVE_PROGRESS, [rows]).fetchall()
        )
        return _ids(row[0] for row in found)

    async def append_logs(self, lines: Sequence[LogLine], keep: int) -> set[UUID]:
        """Insert log lines, then trim what is over the limit."""
        rows = json.dumps([_log_row(line) for line in lines])
        leases = json.dumps([[str(job_id), fence] for job_id, fence in {e.lease for e in lines}])
        full = {str(line.lease.job_id) for line in lines if line.may_exceed(keep)}

        def append(connection: sqlite3.Connection) -> list[str]:
            held = [row[0] for row in connection.execute(statements.HELD, [leases])]
            connection.execute(statements.APPEND_LOGS, [rows])
            connection.executemany(
                statements.TRIM_LOGS, [(job_id, keep) for job_id in full.intersection(held)]
            )
            return held

        return _ids(await self._sqlite.write(append))

    async def leases(self, worker: str) -> dict[Lease, bool]:
        """Read the worker's running jobs."""
        rows = await self._sqlite.read(
            lambda connection: connection.execute(statements.LEASES, [worker]).fetchall()
        )
        return {Lease(UUID(row[0]), row[1]): bool(row[2]) for row in rows}

    async def register(self, worker: WorkerInfo, now: datetime) -> None:
        """Insert the worker's row."""
        row = [
            worker.name,
            worker.host,
            worker.process,
            worker.version,
            to_sqlite(now),
            worker.max_concurrency,
            ",".join(worker.job_types),
            first_beat(),
        ]
        await self._sqlite.write(lambda connection: connection.execute(statements.REGISTER, row))

    async def beat(self, worker: str, running: int, now: datetime) -> bool:
        """Update the worker's row."""
        row = [worker, to_sqlite(now), running]
        found = await self._sqlite.write(
            lambda connection: connection.execute(statements.BEAT, row).rowcount
        )
        return found > 0

    async def unregister(self, worker: str) -> None:
        """Delete the worker's row."""
        await self._sqlite.write(
            lambda connection: connection.execute(statements.UNREGISTER, [worker])
        )

    async def heartbeats(self) -> list[Heartbeat]:
        """Read all workers."""
        rows = await self._sqlite.read(
            lambda connection: connection.execute(statements.HEARTBEATS).fetchall()
        )
        return [Heartbeat(*row) for row in rows]

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        """Delete the worker's row if it has not beaten since, and take its jobs back."""
        moment = to_sqlite(now)

        def rescue(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
            if not _bury(connection, seen):
                return []
            rows = connection.execute(statements.RESCUABLE, [seen.worker, max_rescues]).fetchall()
            error = lost_attempt_error(seen.worker)
            again = [
                Released(Lease(UUID(id_), fence), now, error, spent=False)
                for id_, state, fence in rows
                if state == JobState.PENDING
            ]
            _to_pending(connection, again, moment)
            connection.execute(
                statements.COUNT_RESCUES, [json.dumps([str(r.lease.job_id) for r in again])]
            )
            over = [
                [id_, fence, state, quarantine_error(max_rescues) if state == "Failed" else None]
                for id_, state, fence in rows
                if state != JobState.PENDING
            ]
            _end(connection, json.dumps(over), moment)
            return rows

        rows = await self._sqlite.write(rescue)
        return [Rescue(UUID(row[0]), seen.worker, JobState(row[1])) for row in rows]

    async def prune(self, state: JobState, finished_before: datetime, limit: int) -> int:
        """Delete one batch of old finished jobs."""
        bounds = [state.value, to_sqlite(finished_before), limit]

        def find(connection: sqlite3.Connection) -> list[str]:
            return [row[0] for row in connection.execute(statements.OLD_FINISHED, bounds)]

        if not await self._sqlite.read(find):
            return 0

        def prune(connection: sqlite3.Connection) -> int:
            old = find(connection)
            for statement in statements.PRUNE:
                connection.execute(statement, [json.dumps(old)])
            return len(old)

        return await self._sqlite.write(prune)


def _due(connection: sqlite3.Connection, types: list[str], moment: str, limit: int) -> list[str]:
    """Return the ids of the first due jobs; of many types by several statements."""
    found: list[tuple[str, str]] = []
    for first in range(0, len(types), MOST_TYPES):
        some = types[first : first + MOST_TYPES]
        terms = [statements.DUE_OF_TYPE] * len(some)
        parameters = [value for name in some for value in (name, moment)]
        statement = " UNION ALL ".join(terms) + statements.DUE_ORDER
        found += connection.execute(statement, [*parameters, limit]).fetchall()
    if len(types) > MOST_TYPES:
        found.sort(key=lambda row: (row[1], row[0]))
    return [row[0] for row in found[:limit]]


def _insert_parameters(job: NewJob) -> tuple[object, ...]:
    return (
        str(job.id),
        job.job_type,
        job.module_name,
        job.data,
        to_sqlite(job.created_at),
        to_sqlite(job.execute_at),
        job.max_attempts,
        job.timeout,
        str(job.recurring_job_id) if job.recurring_job_id else None,
        job.enqueued_by,
    )


def _claimed(row: tuple[Any, ...], now: datetime) -> ClaimedJob:
    id_, fence, job_type, data, attempt, attempts_left, timeout, due_at = row
    lease = Lease(UUID(id_), fence)
    due = from_sqlite(due_at)
    return ClaimedJob(lease, job_type, data, attempt, attempts_left, timeout, due, now)


def _progress_row(update: ProgressUpdate) -> list[object]:
    id_, fence = update.lease
    return [str(id_), fence, update.percentage, update.message, to_sqlite(update.reported_at)]


def _log_row(line: LogLine) -> list[object]:
    id_, fence = line.lease
    return [str(id_), fence, line.line, to_sqlite(line.logged_at), line.message]


def _cancelled(released: Released) -> list[object]:
    id_, fence = released.lease
    return [str(id_), fence, "Cancelled", released.error if released.spent else None]


def _ids(rows: Iterable[str]) -> set[UUID]:
    return {UUID(row) for row in rows}


def _end(connection: sqlite3.Connection, rows: str, moment: str) -> list[str]:
    ids = [row[0] for row in connection.execute(statements.END, [rows, moment]).fetchall()]
    connection.execute(statements.REMOVE, [json.dumps(ids)])
    return ids


def _to_pending(connection: sqlite3.Connection, released: list[Released], moment: str) -> None:
    notes = [[str(r.lease.job_id), r.error] for r in released if r.error is not None]
    connection.execute(statements.NOTE_ATTEMPTS, [json.dumps(notes), moment])
    rows = [[str(r.lease.job_id), to_sqlite(r.execute_at), r.error, r.spent] for r in released]
    connection.execute(statements.TO_PENDING, [json.dumps(rows)])


def _bury(connection: sqlite3.Connection, seen: Heartbeat) -> bool:
    if seen.beats == UNREGISTERED:
        return not connection.execute(statements.IS_REGISTERED, [seen.worker]).fetchone()
    row = [seen.worker, seen.beats]
    return connection.execute(statements.BURY, row).rowcount > 0
