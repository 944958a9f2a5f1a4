"""A running job is cancelled from another process."""

import time

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import GatedJob
from processes.deployment import Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio


async def test_a_job_that_runs_in_another_process_is_cancelled_before_its_next_heartbeat(
    deployment: Deployment,
) -> None:
    await deployment.start(heartbeat_interval="60s", stall_timeout="5m").ready()
    job_id = await deployment.enqueue(GatedJob, Act())
    await deployment.marked("started")
    asked = time.monotonic()
    await deployment.cancel(job_id)
    job = await deployment.ends(job_id)
    assert time.monotonic() - asked < 10
    assert job.state is JobState.CANCELLED
    assert len(deployment.marks("stopped")) == 1
