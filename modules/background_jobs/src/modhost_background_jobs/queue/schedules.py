"""Schedules: kept by name, and changed by people."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock, new_id
from modhost.database import Database
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    InvalidCronExpression,
    JobNotFound,
    OverlapPolicy,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import ScheduleDefinition, ScheduleRow
from modhost_background_jobs.storage.dialects import insert_unless_exists
from modhost_background_jobs.storage.tables import SCHEDULES

_KEY: Final = ("module_name", "name")
_ROWS: Final = select(*(SCHEDULES.c[field.name] for field in fields(ScheduleRow)))


class RecurringSchedules:
    """The schedules of recurring jobs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(
        self, definition: ScheduleDefinition, session: AsyncSession | None = None
    ) -> UUID:
        """Add a schedule or update the module's one of this name; return its id.

        Hosts that start at the same time and put the same schedule end up with one.
        """
        if session is None:
            async with self._database.session() as own:
                return await self.put(definition, own)
        connection = await session.connection()
        now = self._clock.now()
        schedule = CronSchedule.parse(definition.cron_expression, definition.time_zone)
        changed = asdict(definition)
        added = {"id": new_id(), "next_run_at": schedule.next_after(now), "created_at": now}
        row = None
        # Again for one that somebody deletes between the two statements.
        while row is None:
            await insert_unless_exists(connection, SCHEDULES, changed | added, _KEY)
            row = await lock_schedule(connection, *_has_name(definition))
        next_run_at = next_run(row, now, schedule)
        before = (row.cron_expression, row.time_zone)
        has_same_times = before == (definition.cron_expression, definition.time_zone)
        if not has_same_times or row.next_run_at is None or row.next_run_at > next_run_at:
            changed["next_run_at"] = next_run_at
        await connection.execute(_update(row.id).values(changed))
        return row.id

    async def pull_back(self) -> int:
        """Bring back next runs that lie beyond the next due time; return how many there were.

        A worker whose clock was ahead, by years perhaps, has moved them there.
        """
        pulled = 0
        for row in await self.all():
            try:
                next_run_at = next_run(row, self._clock.now())
            except (InvalidCronExpression, UnknownTimeZone):
                continue
            if row.is_enabled and row.next_run_at is not None and row.next_run_at > next_run_at:
                unmoved = SCHEDULES.c.next_run_at == row.next_run_at
                moving = _update(row.id).values(next_run_at=next_run_at)
                async with self._database.session() as session:
                    connection = await session.connection()
                    is_row = SCHEDULES.c.id == row.id
                    if await lock_schedule(connection, is_row, unmoved, skip_locked=True):
                        pulled += (await connection.execute(moving)).rowcount
        return pulled

    async def toggle(self, recurring_id: UUID) -> bool:
        """Enable or disable; what was due while it was disabled is not caught up."""
        async with self._database.session() as session:
            connection = await session.connection()
            row = await lock_schedule(connection, SCHEDULES.c.id == recurring_id)
            if row is None:
                raise JobNotFound(recurring_id, "recurring job")
            changed = {
                "is_enabled": not row.is_enabled,
                "next_run_at": next_run(row, self._clock.now()),
            }
            await connection.execute(_update(recurring_id).values(changed))
            return not row.is_enabled

    async def remove(self, recurring_id: UUID) -> str:
        """Delete a schedule and return its name; its runs stay."""
        async with self._database.session() as session:
            removing = delete(SCHEDULES).where(SCHEDULES.c.id == recurring_id)
            deleted = await (await session.connection()).execute(
                removing.returning(SCHEDULES.c.name)
            )
            name: str | None = deleted.scalar_one_or_none()
            if name is None:
                raise JobNotFound(recurring_id, "recurring job")
            return name

    async def get(self, recurring_id: UUID) -> ScheduleRow:
        """Return a schedule. Raises `JobNotFound`."""
        found = await self._read(SCHEDULES.c.id == recurring_id)
        if not found:
            raise JobNotFound(recurring_id, "recurring job")
        return found[0]

    async def all(self) -> list[ScheduleRow]:
        """Return all schedules by name."""
        return await self._read()

    async def count(self) -> int:
        """Return the number of schedules."""
        async with self._database.reading() as session:
            statement = select(func.count()).select_from(SCHEDULES)
            return (await (await session.connection()).execute(statement)).scalar_one()

    async def _read(self, *conditions: ColumnElement[bool]) -> list[ScheduleRow]:
        statement = _ROWS.where(*conditions).order_by(SCHEDULES.c.name, SCHEDULES.c.module_name)
        async with self._database.reading() as session:
            found = await (await session.connection()).execute(statement)
            return [_row(**row) for row in found.mappings()]


async def lock_schedule(
    connection: AsyncConnection, *conditions: ColumnElement[bool], skip_locked: bool = False
) -> ScheduleRow | None:
    """Lock the schedule that fulfils the conditions, and return it; perhaps no locked one."""
    locking = _ROWS.where(*conditions).with_for_update(skip_locked=skip_locked)
    found = await connection.execute(locking)
    row = found.mappings().one_or_none()
    return None if row is None else _row(**row)


def next_run(row: ScheduleRow, now: datetime, schedule: CronSchedule | None = None) -> datetime:
    """Return the first due time after now, and after the times that were deleted.

    They differ where the clock has fallen back further than occurrences are kept.
    """
    schedule = schedule or CronSchedule.parse(row.cron_expression, row.time_zone)
    return schedule.next_after(max(now, row.forgotten_until or now))


def _row(*, overlap: str, catch_up: str, **rest: Any) -> ScheduleRow:
    return ScheduleRow(overlap=OverlapPolicy(overlap), catch_up=CatchUpPolicy(catch_up), **rest)


def _has_name(definition: ScheduleDefinition) -> list[ColumnElement[bool]]:
    return [SCHEDULES.c[key] == getattr(definition, key) for key in _KEY]


def _update(recurring_id: UUID) -> Any:
    return update(SCHEDULES).where(SCHEDULES.c.id == recurring_id)
