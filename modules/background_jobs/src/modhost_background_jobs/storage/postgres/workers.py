"""The rows of workers on PostgreSQL: they register, send heartbeats, and leave."""

from datetime import datetime

from modhost.database import PostgresAccess, from_postgres
from modhost_background_jobs import model
from modhost_background_jobs.storage.postgres import maintenance_statements as maintenance
from modhost_background_jobs.storage.store import NO_VITALS


class WorkerWrites:
    """Implements what `JobStore` has of workers."""

    _postgres: PostgresAccess

    async def register(self, worker: model.WorkerInfo, now: datetime) -> None:
        """Insert the worker's row."""
        await self._postgres.execute(
            maintenance.REGISTER,
            worker.name,
            worker.host,
            worker.process,
            worker.version,
            now,
            worker.max_concurrency,
            ",".join(worker.job_types),
            model.first_beat(),
            ",".join(worker.queues),
            worker.app_version,
        )

    async def beat(
        self, worker: str, now: datetime, vitals: model.Vitals = NO_VITALS
    ) -> model.Known | None:
        """Update the worker's row."""
        is_quiet = await self._postgres.fetchval(maintenance.BEAT, worker, now, *vitals)
        return None if is_quiet is None else model.Known(is_quiet)

    async def note_skew(self, worker: str, seconds: float) -> None:
        """Update the worker's row."""
        await self._postgres.execute(maintenance.NOTE_SKEW, worker, seconds)

    async def note_unresponsive(self, worker: str, attempts: int) -> None:
        """Update the worker's row."""
        await self._postgres.execute(maintenance.NOTE_UNRESPONSIVE, worker, attempts)

    async def unregister(
        self, worker: str, now: datetime, departure: model.Departure, jobs: int = 0
    ) -> None:
        """Move the worker's row to those that are gone."""
        await self._postgres.execute(maintenance.UNREGISTER, worker, now, departure.value, jobs)

    async def heartbeats(self) -> list[model.Heartbeat]:
        """Read all workers."""
        return [model.Heartbeat(*row) for row in await self._postgres.fetch(maintenance.HEARTBEATS)]

    async def dated_heartbeats(self) -> list[model.DatedHeartbeat]:
        """Read all workers."""
        rows = await self._postgres.fetch(maintenance.DATED_HEARTBEATS)
        return [model.DatedHeartbeat(row[0], row[1], from_postgres(row[2])) for row in rows]
