"""A job that blocks the event loop of its worker, seen from outside."""

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import BlockingJob
from processes.deployment import Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio


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
