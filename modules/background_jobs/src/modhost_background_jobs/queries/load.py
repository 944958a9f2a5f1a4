"""What waits, what runs and who is there, each by a few index lookups."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ScalarSelect, Select, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database, UtcDateTime
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.listing import SHOWN, Row, columns_of, rows_of
from modhost_background_jobs.queries.partitions import JOBS, Part, in_state, on_hold, running
from modhost_background_jobs.storage.tables import Worker

WORKERS: Final[Table] = Worker.__table__  # type: ignore[attr-defined]
MAX_COUNTED: Final = 10_000
MAX_SHOWN: Final = 1_000

# In no order, for which all that are pending might be gone through.
_RUNNING: Final = columns_of(JOBS, SHOWN).where(in_state(JOBS, JobState.RUNNING))

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
class WorkerRow:
    """A registered worker."""

    name: str
    host: str
    process: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    max_concurrency: int
    job_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What was there at a moment; of the running jobs all are counted, and `MAX_SHOWN` told."""

    workers: list[WorkerRow]
    waiting: list[WaitingType]
    running: list[Row]
    running_by_worker: dict[str, int]


class QueueLoad:
    """Reads the load of the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Load:
        """Return the workers by name, the types that wait, and what runs."""
        async with self._database.reading() as session:
            connection = await session.connection()
            return Load(
                workers=await _workers(connection),
                waiting=await _waiting_types(connection),
                running=await rows_of(connection, _RUNNING.limit(MAX_SHOWN)),
                running_by_worker=await _running_by_worker(connection),
            )

    async def pending(self) -> tuple[int, bool]:
        """Return how many jobs are pending up to a bound, and whether there are more."""
        # No index has them all. Those that run or are on hold are few.
        others = _count_of(running().ids()) + _count_of(on_hold().ids())
        live = _count_of(Part(JOBS).ids().limit(others + (MAX_COUNTED + 1)))
        async with self._database.reading() as session:
            counted = await (await session.connection()).execute(select(live - others))
            found = int(counted.scalar_one())
        return max(0, min(found, MAX_COUNTED)), found > MAX_COUNTED

    async def waiting_types(self) -> list[WaitingType]:
        """Return the types that have pending jobs, by name."""
        async with self._database.reading() as session:
            return await _waiting_types(await session.connection())


def _count_of(ids: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(ids.subquery()).scalar_subquery()


async def _waiting_types(connection: AsyncConnection) -> list[WaitingType]:
    rows = await connection.execute(_WAITING_TYPES)
    return [WaitingType(row.job_type, row.oldest_at) for row in rows]


async def _running_by_worker(connection: AsyncConnection) -> dict[str, int]:
    counted = select(JOBS.c.worker, func.count()).where(in_state(JOBS, JobState.RUNNING))
    rows = await connection.execute(counted.group_by(JOBS.c.worker))
    return {row[0]: row[1] for row in rows}


async def _workers(connection: AsyncConnection) -> list[WorkerRow]:
    rows = await connection.execute(select(WORKERS).order_by(WORKERS.c.name))
    return [
        WorkerRow(
            row.name,
            row.host,
            row.process,
            row.version,
            row.started_at,
            row.heartbeat_at,
            row.max_concurrency,
            tuple(filter(None, row.job_types.split(","))),
        )
        for row in rows
    ]
