"""Writes on PostgreSQL that carry leases: ends, releases, progress and logs, in batches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from modhost.database import PostgresAccess
from modhost_background_jobs import model
from modhost_background_jobs.storage.postgres import lease_statements as statements
from modhost_background_jobs.storage.postgres.locked_jobs import (
    FIND_WITH_LOCKED_DEPENDENTS,
    LockedJobs,
)
from modhost_background_jobs.storage.store import JobsLocked
from modhost_background_jobs.storage.workflows.ending import end_jobs
from modhost_background_jobs.storage.workflows.postgres import PostgresWorkflows
from modhost_background_jobs.storage.workflows.session_ending import PublishedEnds
from modhost_background_jobs.storage.workflows.steps import run_on_postgres

WORKFLOWS: Final = PostgresWorkflows()


class LeaseWrites:
    """A part of `JobStore`, which describes each method."""

    def __init__(self, postgres: PostgresAccess, published: PublishedEnds | None = None) -> None:
        self._postgres = postgres
        self._published = published
        self._locked = LockedJobs(postgres)
        self._awaited = LockedJobs(postgres, FIND_WITH_LOCKED_DEPENDENTS)

    async def end(self, ended: Sequence[model.Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones."""

        async def write(ended: Sequence[model.Ended]) -> set[UUID]:
            ended = model.last_of_each_job(ended)
            states = [statements.NUMBERS[item.state] for item in ended]
            errors = [item.error for item in ended]
            results = [item.result for item in ended]
            if any(results) or any(each is not None for each in errors):
                texts = (errors, results)
                return await self._write(statements.END_WITH_TEXTS, ended, states, now, *texts)
            return await self._write(statements.END, ended, states, now)

        if (published := self._published) is not None:
            ended = [each for each in ended if not published.has_subscribed(each.state)]
            if not ended:
                return set()
        return await self._locked.apart(write, ended)

    async def end_awaited(self, ended: Sequence[model.Ended], now: datetime) -> set[UUID]:
        """Move jobs to the finished ones, and release or cancel what waits for them."""

        async def write(ended: Sequence[model.Ended]) -> set[UUID]:
            if self._published is not None and self._published.concern(ended):
                return await self._published.end(ended, now)
            async with self._postgres.acquire() as connection, connection.transaction():
                return (await run_on_postgres(connection, end_jobs(WORKFLOWS, ended, now))).held

        return await self._awaited.apart(write, ended)

    async def release(self, released: Sequence[model.Released], now: datetime) -> set[UUID]:
        """Put jobs back, or finish those that were asked to stop."""

        async def write(released: Sequence[model.Released]) -> set[UUID]:
            released = model.last_of_each_job(released)
            async with self._postgres.acquire() as connection:
                rows = await connection.fetch(
                    statements.RELEASE,
                    *_leases(released),
                    [item.execute_at for item in released],
                    [item.error for item in released],
                    [item.spent for item in released],
                    now,
                    self._published is not None and self._published.of_cancelled,
                )
                if forgotten := model.leases_to_forget(released):
                    jobs, fences = zip(*forgotten, strict=True)
                    await connection.execute(statements.FORGET_ATTEMPTS, jobs, fences)
            return _ids(rows)

        locked: set[UUID] = set()
        try:
            held = await self._locked.apart(write, released)
        except JobsLocked as some:
            held, locked = some.written, some.locked
        # Those were asked to stop meanwhile, and somebody waits for their end; or they are lost.
        left = [each.as_cancelled for each in released if each.lease.job_id not in held | locked]
        try:
            held |= await self.end_awaited(left, now) if left else set()
        except JobsLocked as some:
            held |= some.written
            locked |= some.locked
        if locked:
            raise JobsLocked(held, locked)
        return held

    async def save_progress(self, updates: Sequence[model.ProgressUpdate]) -> set[UUID]:
        """Update the jobs' progress."""

        async def write(updates: Sequence[model.ProgressUpdate]) -> set[UUID]:
            percentages = [item.percentage for item in updates]
            messages = [item.message for item in updates]
            times = [item.reported_at for item in updates]
            return await self._write(
                statements.SAVE_PROGRESS, updates, percentages, messages, times
            )

        return await self._locked.apart(write, updates)

    async def append_logs(self, lines: Sequence[model.LogLine], keep: int) -> set[UUID]:
        """Insert log lines, then trim what exceeds the limit, each in a transaction of its own."""

        async def write(lines: Sequence[model.LogLine]) -> set[UUID]:
            async with self._postgres.acquire() as connection:
                rows = await connection.fetch(
                    statements.APPEND_LOGS,
                    *_leases(lines),
                    [item.line for item in lines],
                    [item.logged_at for item in lines],
                    [item.message for item in lines],
                )
                held = _ids(rows)
                full = {line.lease.job_id for line in lines if line.may_exceed(keep)}
                if full & held:
                    await connection.execute(statements.TRIM_LOGS, list(full & held), keep)
            return held

        return await self._locked.apart(write, lines)

    async def _write(self, statement: str, items: Sequence[Any], *values: object) -> set[UUID]:
        """Run a statement that returns the jobs whose leases are still held."""
        return _ids(await self._postgres.fetch(statement, *_leases(items), *values))


def _leases(items: Sequence[Any]) -> tuple[list[UUID], list[int]]:
    """Return the ids and the fences of what carries a lease."""
    return [item.lease.job_id for item in items], [item.lease.fence for item in items]


def _ids(rows: Sequence[Any]) -> set[UUID]:
    return {row[0] for row in rows}
