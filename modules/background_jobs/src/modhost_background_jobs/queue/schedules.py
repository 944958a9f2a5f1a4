"""Schedules: kept by name, fired once for each due time by whichever consumer comes first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.clock import Clock
from modhost.database import Database
from modhost.ids import new_id
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    InvalidCronExpression,
    JobNotFound,
    OverlapPolicy,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.storage.tables import Schedule
from modhost_background_jobs.storage.upserts import insert_unless_there

RECURRING: Final[Table] = Schedule.__table__  # type: ignore[attr-defined]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """What a schedule is defined by; `timeout` is in seconds."""

    name: str
    schedule: CronSchedule
    job_type: str
    module_name: str
    data: str | None
    overlap: OverlapPolicy
    catch_up: CatchUpPolicy
    max_attempts: int
    timeout: float | None

    def columns(self) -> Row:
        """Return the values to store."""
        return {
            "job_type": self.job_type,
            "module_name": self.module_name,
            "cron_expression": self.schedule.expression,
            "time_zone": self.schedule.time_zone,
            "data": self.data,
            "overlap": self.overlap.value,
            "catch_up": self.catch_up.value,
            "max_attempts": self.max_attempts,
            "timeout_seconds": self.timeout,
        }


class RecurringSchedules:
    """The definitions of recurring jobs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, settings: ScheduleSettings, session: AsyncSession | None = None) -> UUID:
        """Add a schedule or update the one of this name; return its id.

        Hosts that start at the same time and put the same schedule end up with one.
        """
        if session is not None:
            return await self._put(settings, await session.connection())
        async with self._database.session() as own:
            return await self._put(settings, await own.connection())

    async def pull_back(self) -> int:
        """Bring back next runs that lie beyond the next due time; return how many there were.

        A consumer whose clock was ahead, by years perhaps, has moved them there.
        """
        pulled = 0
        for row in await self.all():
            try:
                schedule = CronSchedule.parse(row["cron_expression"], row["time_zone"])
                next_run_at = next_run(schedule, row, self._clock.now())
            except (InvalidCronExpression, UnknownTimeZone):
                continue
            seen = row["next_run_at"]
            if row["is_enabled"] and seen is not None and seen > next_run_at:
                pulled += await self._move(row["id"], seen, next_run_at)
        return pulled

    async def _move(self, recurring_id: UUID, seen: datetime, next_run_at: datetime) -> int:
        async with self._database.session() as session:
            moved = await (await session.connection()).execute(
                update(RECURRING)
                .where(RECURRING.c.id == recurring_id, RECURRING.c.next_run_at == seen)
                .values(next_run_at=next_run_at)
            )
            return moved.rowcount

    async def toggle(self, recurring_id: UUID) -> bool:
        """Enable or disable; what was due while it was disabled is not caught up."""
        async with self._database.session() as session:
            connection = await session.connection()
            row = await _get(connection, recurring_id)
            enabled = not row["is_enabled"]
            schedule = CronSchedule.parse(row["cron_expression"], row["time_zone"])
            await connection.execute(
                update(RECURRING)
                .where(RECURRING.c.id == recurring_id)
                .values(is_enabled=enabled, next_run_at=next_run(schedule, row, self._clock.now()))
            )
            return enabled

    async def remove(self, recurring_id: UUID) -> str:
        """Delete a schedule and return its name; its runs stay."""
        async with self._database.session() as session:
            connection = await session.connection()
            removing = delete(RECURRING).where(RECURRING.c.id == recurring_id)
            deleted = await connection.execute(removing.returning(RECURRING.c.name))
            name: str | None = deleted.scalar_one_or_none()
            if name is None:
                raise JobNotFound(recurring_id, "recurring job")
            return name

    async def get(self, recurring_id: UUID) -> Row:
        """Return a schedule. Raises `JobNotFound`."""
        async with self._database.reading() as session:
            statement = select(RECURRING).where(RECURRING.c.id == recurring_id)
            found = await (await session.connection()).execute(statement)
            row = found.mappings().one_or_none()
        if row is None:
            raise JobNotFound(recurring_id, "recurring job")
        return dict(row)

    async def all(self) -> list[Row]:
        """Return all schedules by name."""
        async with self._database.reading() as session:
            statement = select(RECURRING).order_by(RECURRING.c.name)
            rows = (await (await session.connection()).execute(statement)).mappings()
            return [dict(row) for row in rows]

    async def count(self) -> int:
        """Return the number of schedules."""
        async with self._database.reading() as session:
            statement = select(func.count()).select_from(RECURRING)
            return (await (await session.connection()).execute(statement)).scalar_one()

    async def _put(self, settings: ScheduleSettings, connection: AsyncConnection) -> UUID:
        now = self._clock.now()
        new: Row = settings.columns() | {
            "id": new_id(),
            "name": settings.name,
            "is_enabled": True,
            "next_run_at": settings.schedule.next_after(now),
            "created_at": now,
        }
        await insert_unless_there(connection, RECURRING, new, ["name"])
        row = await _locked(connection, RECURRING.c.name == settings.name)
        next_run_at = next_run(settings.schedule, row, now)
        changed = settings.columns()
        if not _same_times(row, settings.schedule) or row["next_run_at"] > next_run_at:
            changed["next_run_at"] = next_run_at
        await connection.execute(
            update(RECURRING).where(RECURRING.c.id == row["id"]).values(changed)
        )
        id_: UUID = row["id"]
        return id_


def next_run(schedule: CronSchedule, row: Row, now: datetime) -> datetime:
    """Return when a schedule is due next: after now, and after what it may have forgotten.

    They differ where the clock has fallen back further than occurrences are kept.
    """
    return schedule.next_after(max(now, row["forgotten_until"] or now))


def _same_times(row: Row, schedule: CronSchedule) -> bool:
    stored = (row["cron_expression"], row["time_zone"])
    return stored == (schedule.expression, schedule.time_zone)


async def _locked(connection: AsyncConnection, condition: Any) -> Row:
    statement = select(RECURRING).where(condition).with_for_update()
    return dict((await connection.execute(statement)).mappings().one())


async def _get(connection: AsyncConnection, recurring_id: UUID) -> Row:
    statement = select(RECURRING).where(RECURRING.c.id == recurring_id).with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise JobNotFound(recurring_id, "recurring job")
    return dict(row)
