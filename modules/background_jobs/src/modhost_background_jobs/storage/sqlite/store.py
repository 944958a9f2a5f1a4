"""The queue's hot path on SQLite: plain functions over the one writer connection."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from modhost.database import SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import (
    START,
    ClaimedJob,
    DueSchedules,
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
    leases_to_forget,
)
from modhost_background_jobs.storage.sqlite import rows as rows_as
from modhost_background_jobs.storage.sqlite import statements
from modhost_background_jobs.storage.sqlite import transitions as moving

_FINAL: Final = [state.value for state in JobState if state.is_final]


class SqliteJobStore:
    """Implements `JobStore`; what each method promises is said there."""

    def __init__(self, sqlite: SqliteAccess) -> None:
        self._sqlite = sqlite

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Insert jobs; other processes see that the database changed."""
        rows = [rows_as.inserted(job) for job in jobs]
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
            return moving.due(connection, types, moment, 1)

        if not job_types or (after is START and not await self._sqlite.read(look)):
            return []

        def claim(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            if not connection.execute(statements.IS_REGISTERED, [worker]).fetchone():
                return []
            ids = moving.due(connection, types, moment, limit)
            return connection.execute(
                statements.CLAIM, [json.dumps(ids), worker, moment]
            ).fetchall()

        rows = await self._sqlite.write(claim)
        rows.sort(key=lambda row: (row[7], row[0]))
        return [rows_as.claimed(row, now) for row in rows]

    async def note_begin(self, lease: Lease) -> bool:
        """Update the job."""
        row = [str(lease.job_id), lease.fence]
        changed = await self._sqlite.write(
            lambda connection: connection.execute(statements.NOTE_BEGIN, row).rowcount
        )
        return changed > 0

    async def next_due(self, job_types: Collection[str]) -> datetime | None:
        """Look at the head of each type."""
        names = json.dumps(list(job_types))
        row = await self._sqlite.read(
            lambda connection: connection.execute(statements.NEXT_DUE, [names]).fetchone()
        )
        return from_sqlite(row[0]) if row[0] else None

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones."""
        rows = [rows_as.ended(each) for each in ended]
        moment = to_sqlite(now)
        return _ids(
            await self._sqlite.write(lambda connection: moving.end(connection, rows, moment))
        )

    async def release(self, released: Sequence[Released], now: datetime) -> set[UUID]:
        """Put jobs back, or end those that were asked to stop."""
        moment = to_sqlite(now)

        def release(connection: sqlite3.Connection) -> list[str]:
            leases = json.dumps([[str(r.lease.job_id), r.lease.fence] for r in released])
            held = dict(connection.execute(statements.HELD, [leases]).fetchall())
            again = [r for r in released if held.get(str(r.lease.job_id)) == 0]
            stopped = [r for r in released if held.get(str(r.lease.job_id)) == 1]
            # What had begun has ended without taking its worker down.
            rescues = [None if each.error is None else 0 for each in again]
            moving.to_pending(connection, again, rescues, moment)
            moving.end(connection, [rows_as.cancelled(r) for r in stopped], moment)
            forgotten = [(str(job_id), fence) for job_id, fence in leases_to_forget(released)]
            connection.executemany(statements.FORGET_ATTEMPTS, forgotten)
            return list(held)

        return _ids(await self._sqlite.write(release))

    async def save_progress(self, updates: Sequence[ProgressUpdate]) -> set[UUID]:
        """Update the jobs' progress."""
        rows = json.dumps([rows_as.progress(update) for update in updates])
        found = await self._sqlite.write(
            lambda connection: connection.execute(statements.SAVE_PROGRESS, [rows]).fetchall()
        )
        return _ids(row[0] for row in found)

    async def append_logs(self, lines: Sequence[LogLine], keep: int) -> set[UUID]:
        """Insert log lines, then trim what is over the limit."""
        rows = json.dumps([rows_as.log_line(line) for line in lines])
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

    async def beat(self, worker: str, now: datetime) -> bool:
        """Update the worker's row."""
        row = [worker, to_sqlite(now)]
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
        rows = await self._sqlite.write(
            lambda connection: moving.rescue(connection, seen, max_rescues, now)
        )
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

    async def database_time(self, now: datetime) -> datetime:
        """Return the time of this machine, which is the database's."""
        return now

    async def newest_end(self, before: datetime) -> datetime | None:
        """Look up the newest of each final state."""
        row = await self._sqlite.read(
            lambda connection: connection.execute(
                statements.NEWEST_END, [json.dumps(_FINAL), to_sqlite(before)]
            ).fetchone()
        )
        return from_sqlite(row[0]) if row[0] else None

    async def poll_schedules(self, now: datetime) -> DueSchedules:
        """Read the enabled schedules and the index of waiting runs."""
        due, first, is_waiting = await self._sqlite.read(
            lambda connection: connection.execute(
                statements.POLL_SCHEDULES, [to_sqlite(now)]
            ).fetchone()
        )
        next_due = None if first is None else from_sqlite(first)
        ids = [UUID(id_) for id_ in json.loads(due)]
        return DueSchedules(ids, next_due, has_waiting_runs=bool(is_waiting))

    async def forget_occurrences(self, before: datetime) -> int:
        """Delete old occurrences; their schedules keep the last due time of them."""
        bound = [to_sqlite(before)]

        def forget(connection: sqlite3.Connection) -> int:
            connection.execute(statements.KEEP_FORGOTTEN, bound)
            return connection.execute(statements.FORGET_OCCURRENCES, bound).rowcount

        has_old = await self._sqlite.read(
            lambda connection: connection.execute(statements.OLD_OCCURRENCES, bound).fetchone()
        )
        return await self._sqlite.write(forget) if has_old else 0


def _ids(rows: Iterable[str]) -> set[UUID]:
    return {UUID(row) for row in rows}
