"""Slots that are held by jobs which do not stop are counted, wherever an operator may ask."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.support import attempt_of, claim, new_job
from background_jobs.unwilling_jobs import UNWILLING, UnresponsiveThreadJob
from modhost_background_jobs.inspection.diagnosis import QueueDiagnosis
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.attempts.attempt import StopReason
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio

HELD = "2 of 2 slots are held by jobs that do not stop"


async def findings(jobs: Jobs) -> str:
    return "\n".join(map(str, await (await jobs.service(QueueDiagnosis)).findings()))


async def test_only_those_that_were_asked_to_stop_hold_their_slots(
    store: JobStore, clock: MovingClock
) -> None:
    await store.insert([new_job() for _ in range(3)])
    attempts = [attempt_of(each) for each in await claim(store)]
    attempts[0].stop(StopReason.CANCELLED)
    unresponsive = UnresponsiveAttempts(ProgressBuffer(store, BackgroundJobsOptions()), clock)
    for held in (0, 1):
        unresponsive.check(attempts)
        assert unresponsive.count == held
        clock.advance(unresponsive.grace_seconds)
    (trouble,) = unresponsive.troubles()
    assert str(attempts[0].lease.job_id) in trouble


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
        cancelled = await worker.starts(UnresponsiveThreadJob)
        timed_out = await worker.starts(UnresponsiveThreadJob, timedelta(seconds=0.05))
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
