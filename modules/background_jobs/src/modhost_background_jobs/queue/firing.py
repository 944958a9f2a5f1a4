"""Firing due times: each one once, decided by a key in the database rather than by a leader."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.clock import Clock
from modhost.database import Database
from modhost.ids import new_id
from modhost_background_jobs.contracts import CatchUpPolicy, JobState, OverlapPolicy
from modhost_background_jobs.cron.catch_up import catch_up
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.queue.job_queue import FINISHED, JOBS, DatabaseJobQueue
from modhost_background_jobs.queue.schedules import RECURRING, Row, next_run
from modhost_background_jobs.storage.due_schedules import (
    OCCURRENCES,
    DueSchedules,
    forget_occurrences,
    poll_schedules,
)
from modhost_background_jobs.storage.upserts import insert_unless_there


class RecurringFiring:
    """Turns due times of schedules into jobs."""

    def __init__(self, database: Database, queue: DatabaseJobQueue, clock: Clock) -> None:
        self._database = database
        self._queue = queue
        self._clock = clock

    async def look(self) -> DueSchedules:
        """Return what there is to do now."""
        return await poll_schedules(self._database, self._clock.now())

    async def fire(self, recurring_id: UUID) -> int:
        """Fire a schedule's due times; return how many, 0 when another consumer was first."""
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            row = await _locked_if_due(connection, recurring_id, now)
            if row is None:
                return 0
            schedule = CronSchedule.parse(row["cron_expression"], row["time_zone"])
            policy = CatchUpPolicy(row["catch_up"])
            caught_up = catch_up(schedule, row["next_run_at"], now, policy)
            if (missed := caught_up.missed) is not None:
                run = _skipped(_new_job(row, now), missed.first, str(missed))
                await connection.execute(insert(FINISHED), [run])
            fired = 0
            for due_at in caught_up.times:
                if row["forgotten_until"] and due_at <= row["forgotten_until"]:
                    continue
                fired += await self._fire_one(session, row, due_at, now)
            values: dict[str, Any] = {"next_run_at": next_run(schedule, row, now)}
            if fired:
                values["last_run_at"] = now
            await connection.execute(
                update(RECURRING).where(RECURRING.c.id == recurring_id).values(values)
            )
            return fired

    async def run_now(self, row: Row, by: str | None = None) -> UUID:
        """Enqueue a run of a schedule besides its due times."""
        now = self._clock.now()
        job = _new_job(row, now, by)
        async with self._database.session() as session:
            await self._queue.enqueue([job], session)
            connection = await session.connection()
            await connection.execute(
                update(RECURRING).where(RECURRING.c.id == row["id"]).values(last_run_at=now)
            )
        return job.id

    async def let_waiting_runs_go(self) -> int:
        """Make the oldest waiting run of each schedule claimable whose earlier runs are over."""
        other = JOBS.alias("other")
        goes_first = or_(~other.c.on_hold, other.c.id < JOBS.c.id)
        blocked = exists().where(
            other.c.recurring_job_id == JOBS.c.recurring_job_id, other.c.id != JOBS.c.id, goes_first
        )
        async with self._database.session() as session:
            connection = await session.connection()
            released = await connection.execute(
                update(JOBS)
                .where(JOBS.c.on_hold, JOBS.c.recurring_job_id.is_not(None), ~blocked)
                .values(on_hold=False)
            )
            return released.rowcount

    async def forget(self, before: datetime) -> int:
        """Delete the record of due times that fired before a time; schedules only go forward."""
        return await forget_occurrences(self._database, before)

    async def _fire_one(
        self, session: AsyncSession, row: Row, due_at: datetime, now: datetime
    ) -> bool:
        connection = await session.connection()
        job = _new_job(row, now)
        occurrence = {
            "recurring_job_id": row["id"],
            "due_at": due_at,
            "fired_at": now,
            "job_id": job.id,
        }
        key = ["recurring_job_id", "due_at"]
        if not await insert_unless_there(connection, OCCURRENCES, occurrence, key):
            return False
        policy = OverlapPolicy(row["overlap"])
        earlier = None if policy is OverlapPolicy.ALLOW else await _live_run(connection, row["id"])
        if earlier is not None and policy is OverlapPolicy.SKIP:
            reason = (
                f"skipped: the earlier run {earlier[0]} of this schedule was still {earlier[1]}."
            )
            await connection.execute(insert(FINISHED), [_skipped(job, due_at, reason)])
            return True
        await self._queue.enqueue([job], session)
        if earlier is not None:
            await connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(on_hold=True))
        return True


async def _locked_if_due(
    connection: AsyncConnection, recurring_id: UUID, now: datetime
) -> Row | None:
    # The lock makes the others wait; they then find a next run that is no longer due.
    statement = (
        select(RECURRING)
        .where(
            RECURRING.c.id == recurring_id,
            RECURRING.c.is_enabled,
            RECURRING.c.next_run_at <= now,
        )
        .with_for_update()
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return dict(row) if row else None


async def _live_run(connection: AsyncConnection, recurring_id: UUID) -> tuple[UUID, str] | None:
    statement = (
        select(JOBS.c.id, JOBS.c.state)
        .where(JOBS.c.recurring_job_id == recurring_id)
        .order_by(JOBS.c.id)
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return (row.id, row.state) if row else None


def _new_job(row: Row, now: datetime, by: str | None = None) -> NewJob:
    return NewJob(
        id=new_id(),
        job_type=row["job_type"],
        module_name=row["module_name"],
        data=row["data"],
        created_at=now,
        execute_at=now,
        max_attempts=row["max_attempts"],
        timeout=row["timeout_seconds"],
        recurring_job_id=row["id"],
        enqueued_by=by or f"schedule:{row['name']}",
    )


def _skipped(job: NewJob, due_at: datetime, reason: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "job_type": job.job_type,
        "module_name": job.module_name,
        "state": JobState.SKIPPED.value,
        "data": job.data,
        "created_at": job.created_at,
        "execute_at": due_at,
        "completed_at": job.created_at,
        "max_attempts": job.max_attempts,
        "attempts_left": job.max_attempts,
        "timeout_seconds": job.timeout,
        "recurring_job_id": job.recurring_job_id,
        "enqueued_by": job.enqueued_by,
        "attempt": 0,
        "fence": 0,
        "rescues": 0,
        "progress_percentage": 0,
        "error": reason,
    }
