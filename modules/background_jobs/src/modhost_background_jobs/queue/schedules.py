"""Schedules as they are read, and when each is due next."""

from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import InvalidCronExpression, JobNotFound, UnknownTimeZone
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import ScheduleRow
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.tables import SCHEDULES

_NAMES: Final = [field.name for field in fields(ScheduleRow)]
_ROWS: Final = select(*(SCHEDULES.c[name] for name in _NAMES))
# Data may be large, and no list shows them.
_LISTED: Final = select(
    *(null().label(name) if name == "data" else SCHEDULES.c[name] for name in _NAMES)
)


class RecurringSchedules:
    """Reads the schedules of recurring jobs."""

    def __init__(self, database: Database, clock: QueueClock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, recurring_id: UUID, session: AsyncSession | None = None) -> ScheduleRow:
        """Return a schedule, as it is in a session if one is given. Raises `JobNotFound`."""
        statement = _ROWS.where(SCHEDULES.c.id == recurring_id)
        found = await (self._read(statement) if session is None else _read_in(session, statement))
        if not found:
            raise JobNotFound(recurring_id, "recurring job")
        return found[0]

    async def all(self) -> list[ScheduleRow]:
        """Return all schedules by name, without their data."""
        return await self._read(_LISTED.order_by(SCHEDULES.c.name, SCHEDULES.c.module_name))

    async def count(self) -> int:
        """Return the number of schedules."""
        async with self._database.reading() as session:
            statement = select(func.count()).select_from(SCHEDULES)
            return (await (await session.connection()).execute(statement)).scalar_one()

    async def pull_back(self) -> int:
        """Bring back next runs that lie far ahead; return how many there were.

        A worker whose clock was ahead, by years perhaps, has moved them there.
        """
        pulled = 0
        for row in await self.all():
            try:
                next_run_at = next_run(row, self._clock.now())
            except (InvalidCronExpression, UnknownTimeZone):
                continue
            if row.is_enabled and is_far_ahead(row, next_run_at):
                unmoved = SCHEDULES.c.next_run_at == row.next_run_at
                moving = update(SCHEDULES).where(SCHEDULES.c.id == row.id)
                async with self._database.session() as session:
                    connection = await session.connection()
                    is_row = SCHEDULES.c.id == row.id
                    if await lock_schedule(connection, is_row, unmoved, skip_locked=True):
                        moved = await connection.execute(moving.values(next_run_at=next_run_at))
                        pulled += moved.rowcount
        return pulled

    async def _read(self, statement: Select[Any]) -> list[ScheduleRow]:
        async with self._database.reading() as session:
            return await _read_in(session, statement)


async def _read_in(session: AsyncSession, statement: Select[Any]) -> list[ScheduleRow]:
    found = await (await session.connection()).execute(statement)
    return [ScheduleRow(**row) for row in found.mappings()]


async def lock_schedule(
    connection: AsyncConnection, *conditions: ColumnElement[bool], skip_locked: bool = False
) -> ScheduleRow | None:
    """Lock the schedule that fulfils the conditions, and return it; perhaps no locked one."""
    locking = _ROWS.where(*conditions).with_for_update(skip_locked=skip_locked)
    found = await connection.execute(locking)
    row = found.mappings().one_or_none()
    return None if row is None else ScheduleRow(**row)


def next_run(row: ScheduleRow, now: datetime, schedule: CronSchedule | None = None) -> datetime:
    """Return the first due time after now, and after the times that were deleted.

    They differ where the clock has fallen back further than occurrences are kept.
    """
    schedule = schedule or CronSchedule.stored(row.cron_expression, row.time_zone)
    return schedule.next_after(max(now, row.forgotten_until or now))


def is_far_ahead(row: ScheduleRow, next_run_at: datetime) -> bool:
    """Whether the stored next run lies beyond the due time after the next one.

    Hosts whose rules of a zone differ do not agree on the next one: what one of them has stored
    must not fire again by the rules of another.
    """
    return row.next_run_at is not None and row.next_run_at > row.schedule.next_after(next_run_at)
