"""Quiet workers: they finish what they run, and claim nothing more."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import WorkerNotFound
from modhost_background_jobs.model import is_bulk_runner
from modhost_background_jobs.storage import QueueClock, Wakeups
from modhost_background_jobs.storage.dialects import notify
from modhost_background_jobs.storage.tables import WORKERS


class QuietWorkers:
    """Quiets and resumes workers in a session of the caller, who then calls `wake`."""

    def __init__(self, wakeups: Wakeups, clock: QueueClock) -> None:
        self._wakeups = wakeups
        self._clock = clock

    async def quiet(self, session: AsyncSession, name: str, by: str) -> bool:
        """Have a worker be quiet; return whether it was not. Raises `WorkerNotFound`."""
        return await self._set(session, name, self._clock.now(), by)

    async def resume(self, session: AsyncSession, name: str) -> bool:
        """Have a worker claim again; return whether it was quiet. Raises `WorkerNotFound`."""
        return await self._set(session, name, None, None)

    def wake(self) -> None:
        """Have the worker of this process learn it; the commit wakes others where it can."""
        self._wakeups.quiet.fire()

    async def _set(
        self, session: AsyncSession, name: str, since: datetime | None, by: str | None
    ) -> bool:
        connection = await session.connection()
        is_it = WORKERS.c.name == name
        reading = select(WORKERS.c.quiet_since).where(is_it).with_for_update()
        found = (await connection.execute(reading)).first()
        if found is None or is_bulk_runner(name):
            raise WorkerNotFound(name)
        if (found.quiet_since is None) == (since is None):
            return False
        setting = update(WORKERS).where(is_it).values(quiet_since=since, quieted_by=by)
        await connection.execute(setting)
        await notify(connection, "quiet")
        return True
