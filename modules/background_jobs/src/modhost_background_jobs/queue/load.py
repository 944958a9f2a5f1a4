"""What waits, what runs and who is there, each by a few index lookups."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, Table, and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database, UtcDateTime
from modhost_background_jobs.queue.job_queue import JOBS
from modhost_background_jobs.queue.tables import Worker

WORKERS: Final[Table] = Worker.__table__  # type: ignore[attr-defined]
MOST_COUNTED: Final = 10_000

# Jumps from type to type in the index of what can be claimed, however many jobs each type has.
_WAITING_TYPES: Final = text("""
WITH RECURSIVE types(job_type) AS (
    SELECT min(job_type) FROM background_jobs.jobs WHERE state = 'Pending' AND NOT on_hold
    UNION ALL
    SELECT (
        SELECT min(j.job_type) FROM background_jobs.jobs j
        WHERE j.state = 'Pending' AND NOT j.on_hold AND j.job_type > types.job_type
    )
    FROM types WHERE types.job_type IS NOT NULL
)
SELECT types.job_type, (
    SELECT j.execute_at FROM background_jobs.jobs j
    WHERE j.job_type = types.job_type AND j.state = 'Pending' AND NOT j.on_hold
    ORDER BY j.execute_at LIMIT 1
) AS oldest_at
FROM types WHERE types.job_type IS NOT NULL
""").columns(oldest_at=UtcDateTime())


@dataclass(frozen=True, slots=True)
class WaitingType:
    """A type with pending jobs, and when the first of them is or was due."""

    job_type: str
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A pending job."""

    job_type: str
    execute_at: datetime
    attempt: int
    on_hold: bool


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A registered worker."""

    name: str
    host: str
    process: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    max_concurrency: int
    running: int
    job_types: tuple[str, ...]


class QueueLoad:
    """Reads the load of the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def running(self) -> int:
        """Return how many jobs run."""
        return await self._count(select(JOBS.c.id).where(JOBS.c.state == text("'Running'")))

    async def pending(self) -> tuple[int, bool]:
        """Return how many jobs are pending up to a bound, and whether there are more."""
        claimable = and_(JOBS.c.state == text("'Pending'"), ~JOBS.c.on_hold)
        found = await self._count(select(JOBS.c.id).where(claimable).limit(MOST_COUNTED + 1))
        return min(found, MOST_COUNTED), found > MOST_COUNTED

    async def waiting_types(self) -> list[WaitingType]:
        """Return the types that have pending jobs, by name."""
        async with self._database.reading() as session:
            rows = await (await session.connection()).execute(_WAITING_TYPES)
            return [WaitingType(row.job_type, row.oldest_at) for row in rows]

    async def waiting_job(self, job_id: UUID) -> WaitingJob | None:
        """Return a job that is pending, or None."""
        columns = (JOBS.c.job_type, JOBS.c.execute_at, JOBS.c.attempt, JOBS.c.on_hold)
        statement = select(*columns).where(JOBS.c.id == job_id, JOBS.c.state == "Pending")
        async with self._database.reading() as session:
            row = (await (await session.connection()).execute(statement)).one_or_none()
        return WaitingJob(*row) if row else None

    async def workers(self) -> list[WorkerRow]:
        """Return the registered workers by name."""
        async with self._database.reading() as session:
            statement = select(WORKERS).order_by(WORKERS.c.name)
            rows = await (await session.connection()).execute(statement)
            return [
                WorkerRow(
                    row.name,
                    row.host,
                    row.process,
                    row.version,
                    row.started_at,
                    row.heartbeat_at,
                    row.max_concurrency,
                    row.running,
                    tuple(filter(None, row.job_types.split(","))),
                )
                for row in rows
            ]

    async def _count(self, rows: Select[tuple[UUID]]) -> int:
        async with self._database.reading() as session:
            return await _counted(await session.connection(), rows)


async def _counted(connection: AsyncConnection, rows: Select[tuple[UUID]]) -> int:
    counted = select(func.count()).select_from(rows.subquery())
    return (await connection.execute(counted)).scalar_one()
