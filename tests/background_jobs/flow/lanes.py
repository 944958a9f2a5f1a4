"""Jobs with flow control, stored as they are enqueued, and claims by hand."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from background_jobs.support import TYPES, new_job
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, Ended, Flow, LimitKey, NewJob
from modhost_background_jobs.model.claiming.lanes import Share, Shares
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore, open_lane_store
from modhost_background_jobs.storage.tables import GRANTS, LIMITS
from moving_clock import START

HOUR = 3600.0
MANY = 1000


def job(
    *,
    due: float = 0,
    queue: str = "default",
    priority: int = 0,
    keys: Collection[tuple[str, str]] = (),
    fair: str | None = None,
    job_type: str = "tests.Job",
) -> NewJob:
    """A job with flow control that falls due so many seconds after the start."""
    limits = tuple(LimitKey(*key) for key in keys)
    flow = Flow(queue=queue, priority=priority, limits=limits, fair_key=fair)
    return replace(new_job(due=due, job_type=job_type), flow=flow)


class Lanes:
    """A queue whose lanes are claimed by the worker w1."""

    def __init__(self, database: Database, queue: DatabaseJobQueue, store: JobStore) -> None:
        self.database = database
        self.store = open_lane_store(database, SystemClock())
        self._queue = queue
        self._jobs = store

    async def enqueue(self, *jobs: NewJob) -> list[UUID]:
        """Enqueue jobs in a transaction; return their ids."""
        async with self.database.session() as session:
            await self._queue.enqueue(jobs, session)
        return [each.id for each in jobs]

    async def add_limit(self, name: str, limit: int, period: float | None = None) -> None:
        """Add a limit; one with a period, in seconds, is a rate."""
        kind = "concurrency" if period is None else "rate"
        row: dict[str, Any] = {"name": name, "kind": kind, "default_limit": limit}
        async with self.database.session() as session:
            connection = await session.connection()
            await connection.execute(insert(LIMITS).values(**row, period_seconds=period))

    async def claim(
        self,
        limit: int = MANY,
        *,
        now: float = 0,
        aging: float = HOUR,
        worker: str = "w1",
        queues: Collection[str] | None = None,
    ) -> list[ClaimedJob]:
        """Claim from the lanes that have jobs, or from those of some queues."""
        moment = START + timedelta(seconds=now)
        heads = (await self.store.read(moment)).heads
        shares = Shares(
            types=[Share(name, 0.0, limit) for name in TYPES],
            lanes=[
                Share(lane.stored, lane.priority * aging, limit)
                for lane in heads
                if queues is None or lane.queue in queues
            ],
            has_limits=any(lane.is_limited for lane in heads),
        )
        return (await self.store.claim(worker, shares, limit, moment)).jobs

    async def claimed(self, limit: int = MANY, **more: Any) -> list[UUID]:
        """Claim, and return the ids in the order in which the jobs start."""
        return ids_of(await self.claim(limit, **more))

    async def end(self, jobs: Sequence[ClaimedJob], now: datetime = START) -> None:
        """End jobs as a worker does, which tends the keys that they have freed."""
        await self._jobs.end([Ended(each.lease, JobState.COMPLETED) for each in jobs], now)

    async def grants(self) -> list[tuple[str, str]]:
        """Return the keys that claims are recorded for."""
        async with self.database.reading() as session:
            keys = select(GRANTS.c.limit_name, GRANTS.c.key)
            return [tuple(row) for row in await (await session.connection()).execute(keys)]

    async def forget_grants(self) -> None:
        """Have the periods of all rates over."""
        async with self.database.session() as session:
            await (await session.connection()).execute(delete(GRANTS))

    async def tend(self, *keys: tuple[str, str], now: float = 0) -> None:
        """Let go of what the keys hold back."""
        moment = START + timedelta(seconds=now)
        await self.store.tend([LimitKey(*key) for key in keys], moment)


def ids_of(jobs: Sequence[ClaimedJob]) -> list[UUID]:
    return [each.lease.job_id for each in jobs]
