"""SIGTERM and SIGINT: running jobs get their grace period, and the rest is released."""

import signal
import time
from datetime import timedelta

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import GatedJob, UnresponsiveJob
from processes.deployment import Deployment
from processes.stage import Act
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


async def test_what_does_not_end_within_the_grace_is_released_at_once(
    deployment: Deployment,
) -> None:
    """The stall timeout is the default one, so that no sweeper can be what hands it over."""
    options = {"max_concurrency": "2", "shutdown_grace": "5s"}
    leaving = await deployment.start(**options).ready()
    short = await deployment.enqueue(GatedJob, Act(name="short"))
    long = await deployment.enqueue(GatedJob, Act(name="long"))
    await deployment.marked("started", times=2)
    replacement = await deployment.start(**options).ready()
    leaving.signal(signal.SIGTERM)
    await leaving.logs("SIGTERM: stopping")
    deployment.stage.open_gate("short", leaving.pid)
    assert await leaving.exit_code() == 0
    _, again = await deployment.marked("started", "long", times=2)
    assert again.process == replacement.pid
    deployment.stage.open_gate("long", replacement.pid)

    job = await deployment.ends(short)
    assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 1)
    assert deployment.marks("finished", "short")[0].process == leaving.pid
    job = await deployment.ends(long)
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
    handed_back, last = job.attempts
    assert handed_back.error == "released: its worker shut down."
    assert (handed_back.number, last.number) == (1, 1)
    assert handed_back.ended_at is not None
    # Half of the stall timeout: a machine that stutters is late by a few seconds.
    assert last.started_at - handed_back.ended_at < timedelta(seconds=10)
    assert deployment.marks("stopped", "long")[0].process == leaving.pid


@ONE_DATABASE
async def test_a_thread_that_ignores_its_stop_request_does_not_block_a_host_that_is_interrupted(
    deployment: Deployment,
) -> None:
    host = deployment.start("run", worker_mode="Consumer", shutdown_grace="500ms")
    await host.ready()
    unresponsive = await deployment.enqueue(UnresponsiveJob, Act(name="unresponsive", seconds=100))
    obedient = await deployment.enqueue(GatedJob, Act(name="obedient"))
    await deployment.marked("started", times=2)
    interrupted = time.monotonic()
    host.signal(signal.SIGINT)
    assert await host.exit_code() == 0
    assert time.monotonic() - interrupted < 15
    assert "SIGINT: stopping" in host.log
    assert (
        f"The job {unresponsive} (acting.UnresponsiveJob) ignores the request to stop" in host.log
    )
    assert "its thread is abandoned" in host.log
    for job_id in (unresponsive, obedient):
        job = await deployment.detail(job_id)
        assert (job.state, job.retry_count, job.worker) == (JobState.PENDING, 0, None)
        assert (job.attempts[0].error or "").startswith("released: ")
