"""Firing of due times: each one once, decided by a key in the database rather than by a leader."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    InvalidCronExpression,
    JobState,
    OverlapPolicy,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.catch_up import (
    LATE_IS_NOT_MISSED,
    Missed,
    all_missed,
    catch_up,
)
from modhost_background_jobs.model import DueSchedules, NewJob, ScheduleRow
from modhost_background_jobs.model.flow import flow_of
from modhost_background_jobs.queue.inserting import insert_found_by, values_of
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedules import lock_schedule, next_run
from modhost_background_jobs.storage import JobStore, QueueClock
from modhost_background_jobs.storage.dialects import insert_unless_exists
from modhost_background_jobs.storage.large_data import insert_with_data
from modhost_background_jobs.storage.tables import FINISHED, JOBS, OCCURRENCES, SCHEDULES


class RecurringFiring:
    """Turns due times of schedules into jobs."""

    def __init__(
        self, database: Database, store: JobStore, queue: DatabaseJobQueue, clock: QueueClock
    ) -> None:
        self._database = database
        self._store = store
        self._queue = queue
        self._clock = clock

    async def poll(self) -> DueSchedules:
        """Return the schedules that are due now, the next due time, and whether runs wait."""
        return await self._store.poll_schedules(self._clock.now())

    async def fire(self, recurring_id: UUID) -> int:
        """Fire a schedule's due times; return how many.

        That is 0 when another worker was first, or somebody else has locked the schedule.
        """
        now = self._clock.now()
        async with self._database.session() as session:
            connection = await session.connection()
            # Others pass over it meanwhile, and then find a next run that is no longer due.
            row = await lock_schedule(
                connection,
                SCHEDULES.c.id == recurring_id,
                SCHEDULES.c.is_enabled,
                SCHEDULES.c.next_run_at <= now,
                skip_locked=True,
            )
            if row is None or row.next_run_at is None:
                return 0
            return await self.fire_due(session, row, now)

    async def fire_due(self, session: AsyncSession, row: ScheduleRow, now: datetime) -> int:
        """Fire the due times of a locked schedule; return how many.

        Raises `InvalidCronExpression`, `UnknownTimeZone` and `UnknownPolicy`, before anything else.
        """
        if row.next_run_at is None:
            return 0
        row.check()
        policy = CatchUpPolicy(row.catch_up)
        caught_up = catch_up(row.schedule, row.next_run_at, now, policy)
        if (missed := caught_up.missed) is not None:
            reason = f"missed: no consumer could fire it {missed}"
            await _skip(session, _run_of(row, now, missed.first), reason)
        fired = 0
        for due_at in caught_up.times:
            if row.forgotten_until is None or due_at > row.forgotten_until:
                # Of several at once each has its turn, since no earlier run was in its way.
                is_late = len(caught_up.times) > 1 or now - due_at > LATE_IS_NOT_MISSED
                has_turn = policy is CatchUpPolicy.ALL and is_late
                fired += await self._fire_one(session, row, due_at, now, has_turn=has_turn)
        values = {"next_run_at": next_run(row, now), "last_due_at": caught_up.last}
        await (await session.connection()).execute(
            update(SCHEDULES).where(SCHEDULES.c.id == row.id).values(values)
        )
        return fired

    async def skip_due(
        self, session: AsyncSession, row: ScheduleRow, now: datetime
    ) -> dict[str, datetime]:
        """Record the due times of a locked schedule that is disabled; return what that changes."""
        if row.next_run_at is None or not row.is_due(now):
            return {}
        try:
            missed = all_missed(row.schedule, row.next_run_at, now)
        except (InvalidCronExpression, UnknownTimeZone):
            missed = Missed(row.next_run_at, row.next_run_at, 1, is_bounded=False)
        reason = f"skipped: the schedule was disabled before it fired {missed}"
        await _skip(session, _run_of(row, now, missed.last), reason)
        return {"last_due_at": missed.last}

    async def run_now(
        self, row: ScheduleRow, by: str | None = None, session: AsyncSession | None = None
    ) -> UUID:
        """Enqueue a run of a schedule besides its due times; `by` is who asked for it."""
        job = _run_of(row, self._clock.now(), None, by)
        (job_id,) = await self._queue.enqueue([job], session)
        return job_id

    async def release_waiting_runs(self) -> int:
        """Make the oldest waiting run claimable of each schedule whose earlier runs finished."""
        held, other = JOBS.alias("held"), JOBS.alias("other")
        goes_first = or_(~other.c.on_hold, other.c.id < held.c.id)
        blocked = exists().where(
            other.c.recurring_job_id == held.c.recurring_job_id, other.c.id != held.c.id, goes_first
        )
        waiting = select(held.c.id).where(
            held.c.on_hold, held.c.recurring_job_id.is_not(None), ~blocked
        )
        waiting = waiting.with_for_update(of=held, skip_locked=True)
        async with self._database.session() as session:
            released = await (await session.connection()).execute(
                update(JOBS).where(JOBS.c.id.in_(waiting)).values(on_hold=False)
            )
            return released.rowcount

    async def _fire_one(
        self,
        session: AsyncSession,
        row: ScheduleRow,
        due_at: datetime,
        now: datetime,
        *,
        has_turn: bool,
    ) -> bool:
        """Fire one due time; one that has a turn waits for earlier runs rather than be skipped."""
        connection = await session.connection()
        job = _run_of(row, now, due_at)
        occurrence = {
            "recurring_job_id": row.id,
            "due_at": due_at,
            "fired_at": now,
            "job_id": job.id,
        }
        key = ["recurring_job_id", "due_at"]
        if not await insert_unless_exists(connection, OCCURRENCES, occurrence, key):
            return False
        earlier = None if row.overlap == OverlapPolicy.ALLOW else await _live_run(session, row.id)
        if earlier is not None and row.overlap == OverlapPolicy.SKIP and not has_turn:
            id_, state = earlier
            reason = f"skipped: the earlier run {id_} of this schedule was still {state}."
            await _skip(session, job, reason)
            return True
        (id_,) = await self._queue.enqueue([job], session)
        if id_ != job.id:
            await _skip(session, job, f"skipped: the job {id_} has its unique key.")
        elif earlier is not None:
            await connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(on_hold=True))
        return True


async def _live_run(session: AsyncSession, recurring_id: UUID) -> tuple[UUID, str] | None:
    runs = select(JOBS.c.id, JOBS.c.state).where(JOBS.c.recurring_job_id == recurring_id)
    found = await (await session.connection()).execute(runs.order_by(JOBS.c.id).limit(1))
    row = found.one_or_none()
    return (row.id, row.state) if row else None


def _run_of(
    row: ScheduleRow, now: datetime, due_at: datetime | None, by: str | None = None
) -> NewJob:
    is_late = due_at is None or now - due_at > LATE_IS_NOT_MISSED
    return NewJob(
        id=new_id(),
        job_type=row.job_type,
        module_name=row.module_name,
        module_version=row.module_version,
        data=row.data,
        created_at=now,
        # One that is caught up waits from now on.
        execute_at=now if is_late or due_at is None else due_at,
        max_attempts=row.max_attempts,
        timeout_seconds=row.timeout_seconds,
        recurring_job_id=row.id,
        due_at=due_at,
        enqueued_by=by or f"schedule:{row.name}",
        flow=flow_of(row.flow),
        summary=row.summary,
    )


async def _skip(session: AsyncSession, job: NewJob, reason: str) -> None:
    """Record a run that does not take place."""
    skipped = values_of(job) | {
        "state": JobState.SKIPPED.value,
        "execute_at": job.due_at or job.execute_at,
        "completed_at": job.created_at,
        "error": reason,
    }
    connection = await session.connection()
    await insert_with_data(connection, FINISHED, [skipped])
    await insert_found_by(connection, job.id, job)
