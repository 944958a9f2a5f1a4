"""The queue's hot path on PostgreSQL, on the bare driver."""

from collections.abc import Collection, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from modhost.database import PostgresAccess, from_postgres
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
from modhost_background_jobs.model.poison_jobs import lost_attempt_error, quarantine_error
from modhost_background_jobs.storage.columns import NEW
from modhost_background_jobs.storage.postgres import maintenance_statements as maintenance
from modhost_background_jobs.storage.postgres import statements
from modhost_background_jobs.storage.postgres.claim_statements import (
    CLAIM,
    CLAIM_AMONG_MANY,
    MANY_TYPES,
)
from modhost_background_jobs.storage.postgres.notifications import Notifications

CLAIM_SECONDS: Final = 10.0
"""A claim is waited for at a shutdown, too: no longer than this where nobody answers."""


_FINAL: Final = [state.value for state in JobState if state.is_final]
_new: Final = attrgetter(*NEW)


class PostgresJobStore:
    """Implements `JobStore`; what each method promises is said there."""

    def __init__(
        self,
        postgres: PostgresAccess,
        notifications: Notifications | None = None,
        *,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        self._postgres = postgres
        self._notifications = notifications
        self._claim_seconds = claim_seconds

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Insert jobs and notify the workers, or leave that to one notification for many."""
        if self._notifications is None or self._notifications.is_due():
            await self._insert(jobs, statements.INSERT_AND_NOTIFY)
            return
        try:
            await self._insert(jobs, statements.INSERT)
        finally:
            self._notifications.owe()

    async def claim(
        self,
        worker: str,
        job_types: Collection[str],
        limit: int,
        now: datetime,
        after: Place = START,
    ) -> list[ClaimedJob]:
        """Claim with SKIP LOCKED, in the common order of all types."""
        async with self._postgres.acquire(self._claim_seconds) as connection:
            rows = await connection.fetch(
                CLAIM if len(job_types) < MANY_TYPES else CLAIM_AMONG_MANY,
                list(job_types),
                now,
                limit,
                worker,
                *after,
                timeout=self._claim_seconds,
            )
        claimed = [_claimed(row, now) for row in rows]
        claimed.sort(key=lambda job: (job.due_at, job.lease))
        return claimed

    async def note_begin(self, lease: Lease) -> bool:
        """Update the job."""
        async with self._postgres.acquire() as connection:
            found = await connection.fetchval(statements.NOTE_BEGIN, *lease)
        return found is not None

    async def next_due(self, job_types: Collection[str]) -> datetime | None:
        """Look at the head of each type."""
        async with self._postgres.acquire() as connection:
            due: datetime | None = await connection.fetchval(statements.NEXT_DUE, list(job_types))
        return None if due is None else from_postgres(due)

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones."""
        async with self._postgres.acquire() as connection:
            rows = await connection.fetch(
                statements.END,
                [item.lease.job_id for item in ended],
                [item.lease.fence for item in ended],
                [item.state.value for item in ended],
                [item.error for item in ended],
                now,
            )
        return {row[0] for row in rows}

    async def release(self, released: Sequence[Released], now: datetime) -> set[UUID]:
        """Put jobs back, or end those that were asked to stop."""
        async with self._postgres.acquire() as connection:
            rows = await connection.fetch(
                statements.RELEASE,
                [item.lease.job_id for item in released],
                [item.lease.fence for item in released],
                [item.execute_at for item in released],
                [item.error for item in released],
                [item.spent for item in released],
                now,
            )
            if forgotten := leases_to_forget(released):
                jobs, fences = zip(*forgotten, strict=True)
                await connection.execute(statements.FORGET_ATTEMPTS, jobs, fences)
        return {row[0] for row in rows}

    async def save_progress(self, updates: Sequence[ProgressUpdate]) -> set[UUID]:
        """Update the jobs' progress."""
        async with self._postgres.acquire() as connection:
            rows = await connection.fetch(
                statements.SAVE_PROGRESS,
                [item.lease.job_id for item in updates],
                [item.lease.fence for item in updates],
                [item.percentage for item in updates],
                [item.message for item in updates],
                [item.reported_at for item in updates],
            )
        return {row[0] for row in rows}

    async def append_logs(self, lines: Sequence[LogLine], keep: int) -> set[UUID]:
        """Insert log lines, then trim what is over the limit."""
        async with self._postgres.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                statements.APPEND_LOGS,
                [item.lease.job_id for item in lines],
                [item.lease.fence for item in lines],
                [item.line for item in lines],
                [item.logged_at for item in lines],
                [item.message for item in lines],
            )
            held = {row[0] for row in rows}
            full = {line.lease.job_id for line in lines if line.may_exceed(keep)}
            if full & held:
                await connection.execute(statements.TRIM_LOGS, list(full & held), keep)
        return held

    async def leases(self, worker: str) -> dict[Lease, bool]:
        """Read the worker's running jobs."""
        async with self._postgres.acquire() as connection:
            rows = await connection.fetch(statements.LEASES, worker)
        return {Lease(row[0], row[1]): row[2] for row in rows}

    async def register(self, worker: WorkerInfo, now: datetime) -> None:
        """Insert the worker's row."""
        async with self._postgres.acquire() as connection:
            await connection.execute(
                maintenance.REGISTER,
                worker.name,
                worker.host,
                worker.process,
                worker.version,
                now,
                worker.max_concurrency,
                ",".join(worker.job_types),
                first_beat(),
            )

    async def beat(self, worker: str, now: datetime) -> bool:
        """Update the worker's row."""
        async with self._postgres.acquire() as connection:
            found = await connection.fetchval(maintenance.BEAT, worker, now)
        return found is not None

    async def unregister(self, worker: str) -> None:
        """Delete the worker's row."""
        async with self._postgres.acquire() as connection:
            await connection.execute(maintenance.UNREGISTER, worker)

    async def heartbeats(self) -> list[Heartbeat]:
        """Read all workers."""
        async with self._postgres.acquire() as connection:
            rows = await connection.fetch(maintenance.HEARTBEATS)
        return [Heartbeat(row[0], row[1]) for row in rows]

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        """Delete the worker's row if it has not beaten since, and take its jobs back."""
        async with self._postgres.acquire() as connection, connection.transaction():
            if not await connection.fetchval(maintenance.BURY, seen.worker, seen.beats):
                return []
            rows = await connection.fetch(
                maintenance.RESCUE,
                seen.worker,
                max_rescues,
                now,
                lost_attempt_error(seen.worker),
                quarantine_error(max_rescues),
            )
        return [Rescue(row[0], seen.worker, JobState(row[1])) for row in rows]

    async def _insert(self, jobs: Sequence[NewJob], insert: statements.Insert) -> None:
        rows = [_new(job) for job in jobs]
        async with self._postgres.acquire() as connection:
            if len(rows) == 1:
                await connection.execute(insert.one, *rows[0])
            else:
                columns = zip(*rows, strict=True)
                await connection.execute(insert.many, *map(list, columns))

    async def prune(self, state: JobState, finished_before: datetime, limit: int) -> int:
        """Delete one batch of old finished jobs."""
        async with self._postgres.acquire() as connection:
            rows = await connection.fetch(maintenance.PRUNE, state.value, finished_before, limit)
        return len(rows)

    async def database_time(self, now: datetime) -> datetime:
        """Read the server's clock."""
        async with self._postgres.acquire() as connection:
            return min(now, from_postgres(await connection.fetchval(maintenance.TIME)))

    async def newest_end(self, before: datetime) -> datetime | None:
        """Look up the newest of each final state."""
        async with self._postgres.acquire() as connection:
            found = await connection.fetchval(maintenance.NEWEST_END, _FINAL, before)
        return None if found is None else from_postgres(found)

    async def poll_schedules(self, now: datetime) -> DueSchedules:
        """Read the enabled schedules and the index of waiting runs."""
        async with self._postgres.acquire() as connection:
            row = await connection.fetchrow(maintenance.POLL_SCHEDULES, now)
        return DueSchedules(row[0] or [], row[1], has_waiting_runs=row[2])

    async def forget_occurrences(self, before: datetime) -> int:
        """Delete old occurrences; their schedules keep the last due time of them."""
        async with self._postgres.acquire() as connection:
            forgotten: int = await connection.fetchval(maintenance.FORGET_OCCURRENCES, before)
        return forgotten


def _claimed(row: Sequence[Any], now: datetime) -> ClaimedJob:
    id_, fence, job_type, data, attempt, attempts_left, timeout, due_at, *more = row
    if due_at.tzinfo is None:
        due_at = from_postgres(due_at)
    return ClaimedJob(
        Lease(id_, fence), job_type, data, attempt, attempts_left, timeout, due_at, now, *more
    )
