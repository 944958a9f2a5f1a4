"""PostgreSQL goes away under load, and comes back.

With timings shorter than the default ones: 5 s without it are longer than the stall timeout here.
`tests/simulation/workers/test_outages.py` has the default ones, in virtual time.
"""

import os
import time
from pathlib import Path

import anyio
import pytest

from hosts import host_with
from modhost_background_jobs.contracts import JobState
from postgres import Postgres
from processes.acting import GatedJob, NappingJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio

OUTAGE_SECONDS = float(os.environ.get("MODHOST_TEST_OUTAGE_SECONDS", "5"))
SLOTS = 4
MAX_LINES = 25


class Load:
    """Enqueues jobs one by one, and remembers which ones the queue has acknowledged."""

    def __init__(self, deployment: Deployment) -> None:
        self.acknowledged: list[str] = []
        self.refused = 0
        self._deployment = deployment

    async def run(self) -> None:
        number = 0
        while True:
            number += 1
            name = f"load-{number}"
            try:
                await self._deployment.enqueue(NappingJob, Act(name=name, seconds=0.05))
            except Exception:  # noqa: BLE001 - what the driver raises while nobody listens
                self.refused += 1
                await anyio.sleep(0.1)
            else:
                self.acknowledged.append(name)
                await anyio.sleep(0.02)

    async def acknowledges(self, more: int) -> None:
        wanted = len(self.acknowledged) + more
        with anyio.fail_after(30):
            while len(self.acknowledged) < wanted:
                await anyio.sleep(0.02)


async def test_after_an_outage_all_slots_work_again_and_nothing_is_lost_or_run_twice(
    tmp_path: Path, own_postgres: Postgres, own_url: str
) -> None:
    """Without its wake-ups the worker would find the last jobs a minute later, by polling."""
    options = {**QUICK, "stall_timeout": "3s", "max_concurrency": f"{SLOTS}"}
    async with Deployment(tmp_path / "deployment", own_url).producing() as deployment:
        worker = await deployment.start(**options, poll_interval="60s").ready()
        load = Load(deployment)
        async with anyio.create_task_group() as group:
            group.start_soon(load.run)
            await load.acknowledges(50)
            await anyio.to_thread.run_sync(own_postgres.crash)
            await anyio.sleep(OUTAGE_SECONDS)
            await anyio.to_thread.run_sync(own_postgres.start_again)
            await load.acknowledges(50)
            group.cancel_scope.cancel()
        assert load.refused > 0
        await deployment.marked("finished", load.acknowledged[-1])
        for name in load.acknowledged:
            await deployment.marked("finished", name)
        await _nothing_is_left(deployment)
        finished = [mark.name for mark in deployment.marks("finished")]
        started = [mark.name for mark in deployment.marks("started")]
        assert sorted(started) == sorted(finished) == sorted(set(finished))

        asked = time.monotonic()
        for number in range(SLOTS):
            await deployment.enqueue(GatedJob, Act(name=f"slot-{number}"))
        for number in range(SLOTS):
            await deployment.marked("started", f"slot-{number}")
        assert time.monotonic() - asked < 15
        await worker.logs("All works again after")
        assert len(worker.log.splitlines()) < MAX_LINES, worker.log
        assert "Traceback" not in worker.log


async def _nothing_is_left(deployment: Deployment) -> None:
    with anyio.fail_after(30):
        while await deployment.count(JobState.PENDING) + await deployment.count(JobState.RUNNING):
            await anyio.sleep(0.05)
    assert await deployment.count(JobState.FAILED) == 0


async def test_requests_and_probes_meanwhile_are_refused_for_now_and_fill_no_log(
    own_postgres: Postgres, own_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each was a 500, and a traceback."""
    async with host_with(own_url) as jobs:
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        assert (await client.get("/api/jobs")).status_code == 200
        await anyio.to_thread.run_sync(own_postgres.crash)
        for _ in range(10):
            refused = await client.get("/api/jobs")
            assert refused.status_code == 503
            assert refused.json()["detail"].startswith("The database does not work at present")
            assert refused.headers["retry-after"] == "5"
            assert (await client.get("/health/ready")).status_code == 503
        await anyio.to_thread.run_sync(own_postgres.start_again)
        with anyio.fail_after(20):
            while (await client.get("/api/jobs")).status_code != 200:
                await anyio.sleep(0.1)
    assert len(caplog.messages) < 10
    assert not any(record.exc_info for record in caplog.records)
