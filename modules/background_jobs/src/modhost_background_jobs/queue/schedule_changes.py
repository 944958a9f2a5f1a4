"""Changes of schedules: a run that is due when one is changed is not lost."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import InvalidCronExpression, JobNotFound, UnknownTimeZone
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import ScheduleDefinition, ScheduleRow, UnknownPolicy
from modhost_background_jobs.model.schedule import ScheduleConflict
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedules import is_far_ahead, lock_schedule, next_run
from modhost_background_jobs.storage import GuardedClock
from modhost_background_jobs.storage.dialects import insert_unless_exists
from modhost_background_jobs.storage.tables import SCHEDULES

_KEY: Final = ("module_name", "name")
_BY_HAND: Final = {"is_by_hand": True, "is_of_start": False, "left_out_since": None}


class ScheduleChanges:
    """Adds, changes and removes schedules, each in a transaction of its own or of the caller."""

    def __init__(self, database: Database, firing: RecurringFiring, clock: GuardedClock) -> None:
        self._database = database
        self._firing = firing
        self._clock = clock
        self._put_here: dict[UUID, str] = {}
        """The module of each schedule that was put here."""

    async def put(
        self,
        definition: ScheduleDefinition,
        session: AsyncSession | None = None,
        *,
        is_of_start: bool = True,
    ) -> UUID:
        """Add a schedule or update the module's one of this name; return its id.

        Hosts that start at the same time and put the same schedule end up with one.
        """
        async with self._joined(session) as joined:
            connection = await joined.connection()
            agrees, now = await self._compared()
            schedule = CronSchedule.parse(definition.cron_expression, definition.time_zone)
            changed = asdict(definition) | _owned_by_code(is_of_start=is_of_start)
            added = {"id": new_id(), "next_run_at": schedule.next_after(now), "created_at": now}
            row = None
            # Again for one that somebody deletes between the two statements.
            while row is None:
                await insert_unless_exists(connection, SCHEDULES, changed | added, _KEY)
                row = await lock_schedule(connection, *_has_name(definition))
            changed |= await self._new_times(joined, row, schedule, now, agrees=agrees)
            await connection.execute(_update(row.id).values(changed))
            self._put_here[row.id] = row.module_name
            return row.id

    async def create(self, definition: ScheduleDefinition) -> UUID:
        """Add a schedule by hand. Raises `ScheduleConflict` if its module has one of this name."""
        async with self._joined(None) as joined:
            schedule = CronSchedule.parse(definition.cron_expression, definition.time_zone)
            id_, (_, now) = new_id(), await self._compared()
            added = {"id": id_, "next_run_at": schedule.next_after(now), "created_at": now}
            row = asdict(definition) | _BY_HAND | added
            connection = await joined.connection()
            if not await insert_unless_exists(connection, SCHEDULES, row, _KEY):
                raise ScheduleConflict.of_name(definition)
            return id_

    async def edit(
        self, recurring_id: UUID, define: Callable[[ScheduleRow], ScheduleDefinition]
    ) -> None:
        """Change a schedule by hand to what `define` makes of it while nobody else changes it.

        Raises `JobNotFound`, and `ScheduleConflict` for code's and for a name that is taken.
        """
        async with self._joined(None) as joined:
            row = await _lock(joined, recurring_id)
            if row.is_of_code:
                raise ScheduleConflict.of_code(row)
            definition = define(row)
            agrees, now = await self._compared()
            schedule = CronSchedule.parse(definition.cron_expression, definition.time_zone)
            times = await self._new_times(joined, row, schedule, now, agrees=agrees)
            changed = asdict(definition) | _BY_HAND | times
            try:
                await (await joined.connection()).execute(_update(row.id).values(changed))
            except IntegrityError as error:
                raise ScheduleConflict.of_name(definition) from error

    async def enable(self, recurring_id: UUID, session: AsyncSession | None = None) -> None:
        """Enable a schedule; what was due while it was disabled is not caught up."""
        async with self._joined(session) as joined:
            row = await _lock(joined, recurring_id)
            if not row.is_enabled:
                await self._enable(joined, row)

    async def disable(self, recurring_id: UUID, session: AsyncSession | None = None) -> None:
        """Disable a schedule; what is due and has not fired is recorded."""
        async with self._joined(session) as joined:
            row = await _lock(joined, recurring_id)
            if row.is_enabled:
                await self._disable(joined, row)

    async def toggle(self, recurring_id: UUID, session: AsyncSession | None = None) -> bool:
        """Enable or disable a schedule; return whether it is enabled."""
        async with self._joined(session) as joined:
            row = await _lock(joined, recurring_id)
            if row.is_enabled:
                await self._disable(joined, row)
            else:
                await self._enable(joined, row)
            return not row.is_enabled

    async def remove(self, recurring_id: UUID, session: AsyncSession | None = None) -> str:
        """Delete a schedule and return its name; its runs stay."""
        removed = await self._delete(SCHEDULES.c.id == recurring_id, session=session)
        if not removed:
            raise JobNotFound(recurring_id, "recurring job")
        return removed[0]

    async def keep_only(
        self, module: str, kept: Collection[UUID], session: AsyncSession | None = None
    ) -> list[str]:
        """Delete a module's schedules but these, and those made by hand; return the names."""
        columns = SCHEDULES.c
        others = (columns.module_name == module, columns.id.not_in(kept), ~columns.is_by_hand)
        return await self._delete(*others, session=session)

    async def note_left_out(self, modules: Collection[str]) -> None:
        """Note which schedules of modules that have started here their starts have not put."""
        columns = SCHEDULES.c
        left_out = select(columns.id).where(
            columns.module_name.in_(modules),
            columns.id.not_in(self._put_here),
            # Of unknown ones, a module that puts others at its start has left them out, too.
            func.coalesce(
                columns.is_of_start, columns.module_name.in_(set(self._put_here.values()))
            ),
            columns.left_out_since.is_(None),
        )
        noting = update(SCHEDULES).where(columns.id.in_(left_out.with_for_update(skip_locked=True)))
        async with self._database.session() as session:
            now = self._clock.now()
            await (await session.connection()).execute(noting.values(left_out_since=now))

    async def _enable(self, session: AsyncSession, row: ScheduleRow) -> None:
        _, now = await self._compared()
        changed = {"is_enabled": True, "next_run_at": next_run(row, now)}
        await (await session.connection()).execute(_update(row.id).values(changed))

    async def _disable(self, session: AsyncSession, row: ScheduleRow) -> None:
        _, now = await self._compared()
        changed = await self._firing.skip_due(session, row, now)
        disabling = _update(row.id).values(is_enabled=False, **changed)
        await (await session.connection()).execute(disabling)

    async def _compared(self) -> tuple[bool, datetime]:
        """Return whether this host's clock may decide, and the time; commands never compared it."""
        return await self._clock.agrees(), self._clock.now()

    async def _new_times(
        self,
        session: AsyncSession,
        row: ScheduleRow,
        schedule: CronSchedule,
        now: datetime,
        *,
        agrees: bool,
    ) -> dict[str, Any]:
        """Return which times of a schedule change with its expression, if that has changed."""
        if not _has_same_times(row, schedule):
            return await self._times_after(session, row, schedule, now, agrees=agrees)
        if row.next_run_at is None or is_far_ahead(row, next_run(row, now)):
            return {"next_run_at": next_run(row, now)}
        return {}

    async def _times_after(
        self,
        session: AsyncSession,
        row: ScheduleRow,
        schedule: CronSchedule,
        now: datetime,
        *,
        agrees: bool,
    ) -> dict[str, Any]:
        """Fire what is due by the old expression, and return the times by the new one."""
        next_run_at = next_run(row, now, schedule)
        if not row.is_due(now):
            return {"next_run_at": next_run_at}
        if not agrees:
            # A host whose clock may be wrong fires nothing: the due time fires by the new one.
            return {}
        try:
            await self._firing.fire_due(session, row, now)
        except (InvalidCronExpression, UnknownTimeZone, UnknownPolicy):
            # Nobody here can read it: the due time fires by the new one.
            return {}
        return {"next_run_at": next_run_at}

    async def _delete(
        self, *conditions: ColumnElement[bool], session: AsyncSession | None
    ) -> list[str]:
        deleting = delete(SCHEDULES).where(*conditions).returning(SCHEDULES.c.name)
        async with self._joined(session) as joined:
            return list((await (await joined.connection()).execute(deleting)).scalars())

    @asynccontextmanager
    async def _joined(self, session: AsyncSession | None) -> AsyncIterator[AsyncSession]:
        if session is not None:
            yield session
            return
        async with self._database.session() as own:
            yield own


async def _lock(session: AsyncSession, recurring_id: UUID) -> ScheduleRow:
    """Lock a schedule and return it. Raises `JobNotFound`."""
    row = await lock_schedule(await session.connection(), SCHEDULES.c.id == recurring_id)
    if row is None:
        raise JobNotFound(recurring_id, "recurring job")
    return row


def _has_name(definition: ScheduleDefinition) -> list[ColumnElement[bool]]:
    return [SCHEDULES.c[key] == getattr(definition, key) for key in _KEY]


def _owned_by_code(*, is_of_start: bool) -> dict[str, Any]:
    return {"is_of_start": is_of_start, "left_out_since": None, "is_by_hand": False}


def _has_same_times(row: ScheduleRow, schedule: CronSchedule) -> bool:
    try:
        return row.schedule.means_the_same(schedule)
    except (InvalidCronExpression, UnknownTimeZone):
        return False


def _update(recurring_id: UUID) -> Any:
    return update(SCHEDULES).where(SCHEDULES.c.id == recurring_id)
