"""A job that blocks the event loop of its worker, seen from outside."""

import signal
import time

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import BlockingJob
from processes.deployment import Deployment
from processes.stage import Act
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


@ONE_DATABASE
async def test_its_log_shows_where_it_blocks_while_it_does(deployment: Deployment) -> None:
    worker = await deployment.start().ready()
    job_id = await deployment.enqueue(BlockingJob, Act(name="blocking"))
    await worker.logs(rf"^.*The job {job_id} \(acting.BlockingJob\) blocks the event loop")
    detail = await deployment.detail(job_id)
    assert detail.state is JobState.RUNNING
    (line,) = detail.logs
    assert "The event loop has not turned for" in line.message
    assert "time.sleep(STEP_SECONDS)" in line.message
    deployment.stage.open_gate("blocking", worker.pid)
    assert (await deployment.ends(job_id)).state is JobState.COMPLETED
    await worker.logs(rf"^.*The job {job_id} \(acting.BlockingJob\) blocked the event loop for ")


@ONE_DATABASE
async def test_a_second_signal_ends_its_worker_at_once(deployment: Deployment) -> None:
    """Signals were handled by the event loop, which did not turn."""
    worker = await deployment.start().ready()
    await deployment.enqueue(BlockingJob, Act(name="blocking"))
    await deployment.marked("started")
    asked = time.monotonic()
    worker.signal(signal.SIGTERM)
    await worker.logs("SIGTERM: stopping")
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 1
    assert time.monotonic() - asked < 10
    assert "Asked to stop again; exiting at once." in worker.log
