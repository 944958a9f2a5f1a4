"""Pauses of queues and job types: what operators and modules set, and all workers follow."""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.model.pauses import PauseKind, PauseRow
from modhost_background_jobs.storage import QueueClock, Wakeups
from modhost_background_jobs.storage.dialects import notify, upsert
from modhost_background_jobs.storage.tables import PAUSES

_KEY: Final = ("kind", "name")


class Pauses:
    """Sets and lifts pauses in a session of the caller, who then calls `wake`."""

    def __init__(self, wakeups: Wakeups, clock: QueueClock) -> None:
        self._wakeups = wakeups
        self._clock = clock

    async def pause(
        self,
        session: AsyncSession,
        kind: PauseKind,
        name: str,
        *,
        until: datetime | None,
        reason: str,
        paused_by: str,
    ) -> None:
        """Pause, or change the pause that there is."""
        row = {
            "kind": kind,
            "name": name,
            "paused_at": self._clock.now(),
            "paused_by": paused_by,
            "paused_until": until,
            "reason": reason,
        }
        connection = await session.connection()
        await upsert(connection, PAUSES, [row], _KEY)
        await notify(connection, "flow")

    async def resume(self, session: AsyncSession, kind: PauseKind, name: str) -> bool:
        """Lift a pause; return whether there was one that had not ended."""
        connection = await session.connection()
        is_it = (PAUSES.c.kind == kind, PAUSES.c.name == name)
        active = await connection.execute(select(PAUSES).where(*is_it, self._is_active()))
        was_paused = active.first() is not None
        await connection.execute(delete(PAUSES).where(*is_it))
        await notify(connection, "flow")
        return was_paused

    async def active(self, session: AsyncSession) -> list[PauseRow]:
        """Return the pauses that have not ended, by kind and name."""
        statement = select(PAUSES).where(self._is_active()).order_by(PAUSES.c.kind, PAUSES.c.name)
        found = await (await session.connection()).execute(statement)
        return [PauseRow(**row) for row in found.mappings()]

    def wake(self) -> None:
        """Have the worker of this process read them; the commit wakes those of others."""
        self._wakeups.work.fire()

    def _is_active(self) -> ColumnElement[bool]:
        until = PAUSES.c.paused_until
        return or_(until.is_(None), until > self._clock.now())
