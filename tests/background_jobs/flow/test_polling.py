"""Workers come back soon to what others have left, and poll for nothing that they cannot take."""

from uuid import UUID

import anyio
import pytest
from sqlalchemy import select

from background_jobs.flow.noted_jobs import Item, Noted, OnePerTenant, Seen, TwoAtATime, host
from hosts import HostedJobs
from modhost.database import Database
from modhost_background_jobs.storage.tables import JOBS
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.lanes import Lanes

pytestmark = pytest.mark.anyio


async def test_a_key_that_somebody_counts_is_tried_again_soon(postgres_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    others = Database(postgres_url)
    async with host(postgres_url, seen, poll_interval="30s") as jobs, others.open():
        await jobs.ends(await jobs.scheduling.enqueue(TwoAtATime, Item(name="first")))
        async with others.session() as session:
            lock = "SELECT * FROM background_jobs.limit_keys FOR UPDATE"
            await (await session.connection()).exec_driver_sql(lock)
            await jobs.scheduling.enqueue(TwoAtATime, Item(name="second"))
            await anyio.sleep(0.5)
            assert seen.order == ["first"]
        await seen.until(lambda: seen.order == ["first", "second"])


async def test_a_job_whose_key_is_free_before_its_transaction_ends_starts_soon(
    postgres_url: str,
) -> None:
    """It was held back behind jobs that have ended since, and nobody else can let go of it."""
    seen = Seen()
    async with host(postgres_url, seen, poll_interval="30s") as jobs:
        first, second = [
            await jobs.scheduling.enqueue(OnePerTenant, Item(name=name)) for name in ("1", "2")
        ]
        await seen.until(lambda: seen.order == ["1"])
        while not await _held(jobs):
            await anyio.sleep(0.02)
        async with (await jobs.service(Database)).session() as session:
            third = await jobs.scheduling.enqueue(OnePerTenant, Item(name="3"), session=session)
            seen.gate.set()
            for job_id in (first, second):
                await jobs.ends(job_id)
            await anyio.sleep(0.2)
        await jobs.ends(third, seconds=20)


async def _held(jobs: HostedJobs) -> list[UUID]:
    """Return the jobs that a limit holds back."""
    async with (await jobs.service(Database)).reading() as session:
        held = select(JOBS.c.id).where(JOBS.c.held_by.is_not(None))
        return list((await (await session.connection()).execute(held)).scalars())


async def test_jobs_that_a_worker_cannot_take_cause_no_polling(database_url: str) -> None:
    """Of a queue that it does not serve, has no more room for, or that is paused."""
    seen = Seen()
    options = {"queues": ["*", "!other"], "queue_concurrency": {"bulk": 1}, "max_concurrency": 4}
    async with host(database_url, seen, **options) as jobs:
        claims = await jobs.service(ClaimLoop)
        lanes = await jobs.service(Lanes)
        await jobs.scheduling.pause_queue("mail")
        await seen.until(lambda: lanes.has_pauses)
        for queue in ("bulk", "bulk", "other", "mail"):
            await jobs.scheduling.enqueue(Noted, Item(name=queue), queue=queue)
        await jobs.scheduling.enqueue(OnePerTenant, Item(name="one"))
        await jobs.scheduling.enqueue(OnePerTenant, Item(name="held"))
        await seen.until(lambda: len(seen.order) == 2)
        await anyio.sleep(0.5)
        begun = claims.begun
        await anyio.sleep(1)
        assert claims.begun - begun <= 5
        assert sorted(seen.order) == ["bulk", "one"]
        seen.gate.set()
