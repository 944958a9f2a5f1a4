"""What a worker says of how many jobs it runs."""

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost_background_jobs.inspection.snapshot import Snapshots

pytestmark = pytest.mark.anyio


async def test_a_worker_counts_the_jobs_that_run_and_none_that_wait(database_url: str) -> None:
    async with (
        jobs_host(database_url, max_concurrency=2, heartbeat_interval="5ms") as jobs,
        jobs.host.scope() as scope,
    ):
        snapshots = await scope.get(Snapshots)

        async def reported() -> int:
            running: int = next(worker.running for worker in (await snapshots.take()).workers)
            assert running <= 2
            return running

        # The quick ones first: a worker whose jobs end quickly claims ahead of its slots.
        await jobs.scheduling.enqueue_many(ReportingJob, [Work()] * 50)
        await jobs.scheduling.enqueue_many(WaitingJob, [None] * 6)
        with anyio.fail_after(20):
            while jobs.probe.started["waiting"] < 2 or await reported() < 2:
                await reported()
        jobs.probe.gate.set()
        with anyio.fail_after(20):
            while jobs.probe.finished["waiting"] < 6 or await reported():
                await anyio.sleep(0.005)
