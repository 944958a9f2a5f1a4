"""The queue's hot path on SQLite: plain functions over the one writer connection."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from modhost.database import SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs import model
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import START, Lease
from modhost_background_jobs.storage.large_data import is_large
from modhost_background_jobs.storage.sqlite import rows as rows_as
from modhost_background_jobs.storage.sqlite import statements, transitions
from modhost_background_jobs.storage.sqlite.insert_statements import HOLDER
from modhost_background_jobs.storage.sqlite.workers import WorkerWrites
from modhost_background_jobs.storage.steps.sqlite import SqliteSteps
from modhost_background_jobs.storage.workflows.session_ending import PublishedEnds


class SqliteJobStore(WorkerWrites, SqliteSteps):
    """Implements `JobStore`, which describes each method."""

    def __init__(self, sqlite: SqliteAccess, published: PublishedEnds | None = None) -> None:
        self._sqlite = sqlite
        self._published = published

    async def insert(self, jobs: Sequence[model.NewJob]) -> None:
        """Insert jobs; other processes see that the database changed."""
        rows = [rows_as.inserted(job) for job in jobs]
        large = [(str(job.id), job.data) for job in jobs if is_large(job.data)]
        await self._sqlite.write(lambda connection: transitions.insert(connection, rows, large))

    async def insert_flowing(
        self, jobs: Sequence[model.NewJob], *, unless_there: bool = False
    ) -> set[UUID]:
        """Do the same, with what else is stored of such jobs."""
        insert = partial(transitions.insert_flowing, jobs=jobs, unless_there=unless_there)
        return await self._sqlite.write(lambda db: insert(partial(transitions.run, db)))

    async def holder(self, unique_key: str) -> UUID | None:
        """Read the index of keys."""
        found = await self._sqlite.fetch_one(HOLDER, [unique_key])
        return found and UUID(found[0])

    async def claim(
        self,
        worker: str,
        job_types: Collection[str],
        limit: int,
        now: datetime,
        after: model.Place = START,
    ) -> list[model.ClaimedJob]:
        """Claim in the common order of all types; read first, so that idling writes nothing.

        Where the last claim found all it had room for there is probably more: no read is needed.
        Nor is the place itself, since nothing dead stays in the index here.
        """
        moment = to_sqlite(now)
        types = list(job_types)

        def read(connection: sqlite3.Connection) -> list[str]:
            return transitions.due(connection, types, moment, 1)

        if not job_types or (after is START and not await self._sqlite.read(read)):
            return []

        def claim(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            if not connection.execute(statements.IS_REGISTERED, [worker]).fetchone():
                return []
            ids = transitions.due(connection, types, moment, limit)
            parameters = [json.dumps(ids), worker, moment]
            return transitions.claim(connection, parameters)

        rows = await self._sqlite.write(claim)
        rows.sort(key=lambda row: (row[7], row[0]))
        return [rows_as.claimed(row, now) for row in rows]

    async def note_begin(self, lease: Lease) -> bool:
        """Update the job."""
        row = [str(lease.job_id), lease.fence]
        return await self._sqlite.execute(statements.NOTE_BEGIN, row) > 0

    async def note_starts(self, started: Mapping[UUID, datetime]) -> set[UUID]:
        """Update the schedules; nobody else can have locked them."""
        rows = [(str(id_), to_sqlite(at)) for id_, at in started.items()]
        await self._sqlite.write(
            lambda connection: connection.executemany(statements.NOTE_START, rows)
        )
        return set()

    async def next_due(self, job_types: Collection[str]) -> datetime | None:
        """Read the head of each type."""
        names = json.dumps(list(job_types))
        return _moment(await self._sqlite.fetch_one(statements.NEXT_DUE, [names]))

    async def end(self, ended: Sequence[model.Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones."""
        if (published := self._published) is not None:
            ended = [each for each in ended if not published.has_subscribed(each.state)]
            if not ended:
                return set()
        rows = [rows_as.ended(each) for each in ended]
        moment = to_sqlite(now)
        return _ids(
            await self._sqlite.write(lambda connection: transitions.end(connection, rows, moment))
        )

    async def end_awaited(self, ended: Sequence[model.Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones, and release or cancel what waits for them."""
        if self._published is not None and self._published.concern(ended):
            return await self._published.end(ended, now)
        return await self._sqlite.write(
            lambda connection: transitions.end_awaited(connection, ended, now)
        )

    async def release(self, released: Sequence[model.Released], now: datetime) -> set[UUID]:
        """Put jobs back, or finish those that were asked to stop."""
        apart = self._published is not None and self._published.of_cancelled
        held, stopped = await self._sqlite.write(
            lambda connection: transitions.release(connection, released, now, end_apart=apart)
        )
        return _ids(held) | (await self.end_awaited(stopped, now) if stopped else set())

    async def save_progress(self, updates: Sequence[model.ProgressUpdate]) -> set[UUID]:
        """Update the jobs' progress."""
        rows = json.dumps([rows_as.progress(update) for update in updates])
        found = await self._sqlite.execute_returning(statements.SAVE_PROGRESS, [rows])
        return _ids(row[0] for row in found)

    async def append_logs(self, lines: Sequence[model.LogLine], keep: int) -> set[UUID]:
        """Insert log lines, then trim what exceeds the limit."""
        return _ids(
            await self._sqlite.write(
                lambda connection: transitions.append_logs(connection, lines, keep)
            )
        )

    async def leases(self, worker: str) -> dict[Lease, bool]:
        """Read the worker's running jobs."""
        rows = await self._sqlite.fetch(statements.LEASES, [worker])
        return {Lease(UUID(row[0]), row[1]): bool(row[2]) for row in rows}

    async def database_clock(self) -> None:
        """Return nothing: a file has no clock."""

    async def rescue(
        self, seen: model.Heartbeat, max_rescues: int, now: datetime
    ) -> list[model.Rescue]:
        """Delete the worker's row if it has not beaten since, and take its jobs back."""
        apart = self._published is not None and self._published.of_lost
        rows, finished = await self._sqlite.write(
            lambda connection: transitions.rescue(
                connection, seen, max_rescues, now, end_apart=apart
            )
        )
        if finished:
            await self.end_awaited(finished, now)
        return [model.Rescue(UUID(row[0]), seen.worker, JobState(row[1])) for row in rows]

    async def take_back_rescues(self, lost: Sequence[model.LostLease], now: datetime) -> None:
        """Correct attempts, counts and quarantines."""
        await self._sqlite.write(
            lambda connection: transitions.take_back_rescues(connection, lost, now)
        )

    async def database_time(self, now: datetime) -> datetime:
        """Return the time of this machine, which is the database's."""
        return now

    async def poll_schedules(self, now: datetime) -> model.DueSchedules:
        """Read the enabled schedules and the index of waiting runs."""
        row = await self._sqlite.fetch_one(statements.POLL_SCHEDULES, [to_sqlite(now)])
        due = [UUID(id_) for id_ in json.loads(row[0])]
        return model.DueSchedules(due, _moment(row[1:]), has_waiting_runs=bool(row[2]))


def _ids(rows: Iterable[str]) -> set[UUID]:
    return {UUID(row) for row in rows}


def _moment(row: Sequence[Any]) -> datetime | None:
    """Return the time that a row begins with; None for NULL."""
    return from_sqlite(row[0]) if row[0] else None
