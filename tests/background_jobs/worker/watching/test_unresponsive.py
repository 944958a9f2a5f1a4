"""Slots that are held by jobs which do not stop are counted, wherever an operator may ask."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.unwilling_jobs import UNWILLING, UnresponsiveThreadJob
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.diagnosis import QueueDiagnosis
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts

pytestmark = pytest.mark.anyio

HELD = "2 of 2 slots are held by jobs that do not stop"


async def findings(jobs: Jobs) -> str:
    return "\n".join(map(str, await (await jobs.service(QueueDiagnosis)).findings()))


async def test_all_hosts_say_that_a_worker_begins_nothing_and_why(database_url: str) -> None:
    """They said that all slots were busy."""
    options: dict[str, Any] = {
        "max_concurrency": 2,
        "heartbeat_interval": "100ms",
        "more_jobs": UNWILLING,
    }
    async with (
        jobs_host(database_url, **options) as worker,
        jobs_host(database_url, mode="Producer", more_jobs=UNWILLING) as web,
    ):
        (await worker.service(UnresponsiveAttempts)).grace_seconds = 0.05
        cancelled = await worker.scheduling.enqueue(UnresponsiveThreadJob)
        timed_out = await worker.scheduling.enqueue(
            UnresponsiveThreadJob, timeout=timedelta(seconds=0.05)
        )
        for job_id in (cancelled, timed_out):
            await worker.reaches(job_id, JobState.RUNNING)
        waiting = await worker.scheduling.enqueue(UnresponsiveThreadJob)
        await worker.scheduling.cancel(cancelled)
        client = await web.host.client("BackgroundJobs.ViewJobs")
        with anyio.fail_after(20):
            while HELD not in (await client.get("/admin/jobs")).text:
                await anyio.sleep(0.05)
        assert HELD in (await client.get("/admin/jobs/workers")).text
        page = (await client.get(f"/admin/jobs/{waiting}")).text
        assert "All slots of the workers that know its type are held by jobs that do" in page
        for host in (worker, web):
            assert "All slots of some workers are held by jobs that do not" in await host.health()
        assert f"MH612 Slots held by jobs that do not stop: {HELD} on the worker" in await findings(
            web
        )
        worker.probe.thread_gate.set()
        for job_id in (cancelled, timed_out, waiting):
            await worker.ends(job_id)
        with anyio.fail_after(20):
            while "MH612" in await findings(web) or "do not stop" in await web.health():
                await anyio.sleep(0.05)
