"""The queue's hot path on PostgreSQL, on the bare driver."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from modhost.database import PostgresAccess, from_postgres
from modhost_background_jobs import model
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import START, Lease
from modhost_background_jobs.storage.columns import NEW, flowing_rows
from modhost_background_jobs.storage.dialects import is_lock_timeout, is_taken_key
from modhost_background_jobs.storage.postgres import (
    claim_statements,
    comeback_statements,
    statements,
)
from modhost_background_jobs.storage.postgres import maintenance_statements as maintenance
from modhost_background_jobs.storage.postgres.claimed import claimed_job
from modhost_background_jobs.storage.postgres.lease_writes import WORKFLOWS, LeaseWrites
from modhost_background_jobs.storage.postgres.notifications import Notifications
from modhost_background_jobs.storage.postgres.workers import WorkerWrites
from modhost_background_jobs.storage.steps.postgres import PostgresSteps
from modhost_background_jobs.storage.store import JobsLocked
from modhost_background_jobs.storage.workflows.ending import take_back_ends
from modhost_background_jobs.storage.workflows.session_ending import PublishedEnds
from modhost_background_jobs.storage.workflows.steps import run_on_postgres

INSERT_LOCK_WAITS: Final = 60
CLAIM_SECONDS: Final = 10.0
"""A claim is waited for at a shutdown, too: no longer than this where nobody answers."""

_new: Final = attrgetter(*NEW)


class PostgresJobStore(LeaseWrites, WorkerWrites, PostgresSteps):
    """Implements `JobStore`, which describes each method."""

    def __init__(
        self,
        postgres: PostgresAccess,
        notifications: Notifications | None = None,
        published: PublishedEnds | None = None,
        *,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        super().__init__(postgres, published)
        self._claim_seconds = claim_seconds
        self._notifications = notifications

    async def insert(self, jobs: Sequence[model.NewJob]) -> None:
        """Insert jobs and notify the workers, or leave that to one notification for many."""
        await self._insert(list(map(_new, jobs)), statements.INSERT_AND_NOTIFY, statements.INSERT)

    async def insert_flowing(
        self, jobs: Sequence[model.NewJob], *, unless_there: bool = False
    ) -> set[UUID]:
        """Do the same; a transaction that is open and has a unique key is not waited for long."""
        have_words = any(job.summary is not None for job in jobs)
        given = flowing_rows(jobs, with_words=have_words)
        insert = partial(
            statements.insert_flowing,
            unless_there=unless_there,
            have_turns=any(row[-1] is not None for row in given),
            have_words=have_words,
        )
        tries = 1 if unless_there else INSERT_LOCK_WAITS
        try:
            rows = await self._insert(given, insert(notifies=True), insert(), tries)
        except Exception as error:
            if not unless_there or not is_lock_timeout(error):
                raise
            return set()
        return {row[0] for row in rows}

    async def holder(self, unique_key: str) -> UUID | None:
        """Read the index of keys."""
        found: UUID | None = await self._postgres.fetchval(statements.HOLDER, unique_key)
        return found

    async def claim(
        self,
        worker: str,
        job_types: Collection[str],
        limit: int,
        now: datetime,
        after: model.Place = START,
    ) -> list[model.ClaimedJob]:
        """Claim with SKIP LOCKED, in the common order of all types."""
        rows = await self._postgres.fetch(
            claim_statements.of(len(job_types)),
            list(job_types),
            now,
            limit,
            worker,
            *after,
            timeout=self._claim_seconds,
        )
        claimed = [claimed_job(row, now) for row in rows]
        claimed.sort(key=lambda job: (job.execute_at, job.lease))
        return claimed

    async def note_begin(self, lease: Lease) -> bool:
        """Update the job."""
        return await self._postgres.fetchval(statements.NOTE_BEGIN, *lease) is not None

    async def note_starts(self, started: Mapping[UUID, datetime]) -> set[UUID]:
        """Update the schedules that nobody has locked."""
        rows = await self._postgres.fetch(
            maintenance.NOTE_STARTS, list(started), list(started.values())
        )
        return {row[0] for row in rows}

    async def next_due(self, job_types: Collection[str]) -> datetime | None:
        """Read the head of each type."""
        return _moment(await self._postgres.fetchval(statements.NEXT_DUE, list(job_types)))

    async def leases(self, worker: str) -> dict[Lease, bool]:
        """Read the worker's running jobs."""
        rows = await self._postgres.fetch(statements.LEASES, worker)
        return {Lease(row[0], row[1]): row[2] for row in rows}

    async def rescue(
        self, seen: model.Heartbeat, max_rescues: int, now: datetime
    ) -> list[model.Rescue]:
        """Delete the worker's row if it has not beaten since, and take its jobs back."""
        rows = await self._postgres.fetch(
            maintenance.RESCUE,
            seen.worker,
            max_rescues,
            now,
            model.lost_attempt_error(seen.worker),
            model.quarantine_error(max_rescues),
            seen.beats,
            self._published is not None and self._published.of_lost,
        )
        awaited = [
            model.rescue_end(Lease(row[0], row[2]), state, max_rescues)
            for row in rows
            if row[3] and (state := JobState(row[1])) is not JobState.PENDING
        ]
        locked: set[UUID] = set()
        if awaited:
            try:
                await self.end_awaited(awaited, now)
            except JobsLocked as some:
                locked = some.locked
        running = JobState.RUNNING
        return [
            model.Rescue(row[0], seen.worker, running if row[0] in locked else JobState(row[1]))
            for row in rows
        ]

    async def take_back_rescues(self, lost: Sequence[model.LostLease], now: datetime) -> None:
        """Correct attempts, counts and quarantines by one statement."""
        rows = [(lease.job_id, lease.fence, counts) for lease, counts in lost]
        while True:
            try:
                async with self._postgres.acquire() as connection, connection.transaction():
                    # Before the jobs, as whoever retries one of them does.
                    jobs = [lease.job_id for lease, _ in lost]
                    await connection.fetch(comeback_statements.LOCK_WORKFLOWS, jobs)
                    back = await connection.fetch(
                        comeback_statements.TAKE_BACK, *map(list, zip(*rows, strict=True))
                    )
                    again = [(row[0], row[1]) for row in back]
                    await run_on_postgres(connection, take_back_ends(WORKFLOWS, again, now))
                    return
            except Exception as error:
                # Somebody has just enqueued a job with the unique key of one that is restored.
                if not is_taken_key(error):
                    raise

    async def database_time(self, now: datetime) -> datetime:
        """Read the server's clock."""
        return min(now, from_postgres(await self._postgres.fetchval(maintenance.TIME)))

    async def database_clock(self) -> datetime | None:
        """Read the server's clock."""
        return from_postgres(await self._postgres.fetchval(maintenance.TIME))

    async def poll_schedules(self, now: datetime) -> model.DueSchedules:
        """Read the enabled schedules and the index of waiting runs."""
        (row,) = await self._postgres.fetch(maintenance.POLL_SCHEDULES, now)
        return model.DueSchedules(row[0] or [], row[1], has_waiting_runs=row[2])

    async def _insert(
        self,
        rows: Sequence[Sequence[Any]],
        notifying: statements.Insert,
        quiet: statements.Insert,
        tries: int = INSERT_LOCK_WAITS,
    ) -> list[Any]:
        notifies = self._notifications is None or self._notifications.is_due()
        statement, values = statements.insert_with(notifying if notifies else quiet, rows)
        try:
            while True:
                try:
                    return await self._postgres.fetch(statement, *values)
                except Exception as error:
                    # The whole table is locked, perhaps by a migration; nothing has been stored.
                    tries -= 1
                    if not tries or not is_lock_timeout(error):
                        raise
        finally:
            if self._notifications is not None and not notifies:
                self._notifications.owe()


def _moment(found: datetime | None) -> datetime | None:
    return None if found is None else from_postgres(found)
