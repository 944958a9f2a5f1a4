"""Jobs that take longer than the stall timeout, on workers that are alive."""

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import NappingJob, SpinningJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio

STALL_SECONDS = 5


async def test_a_long_job_and_one_that_never_yields_run_once(deployment: Deployment) -> None:
    leases = {"heartbeat_interval": "1s", "stall_timeout": f"{STALL_SECONDS}s"}
    options = {**QUICK, **leases, "max_concurrency": "1"}
    workers = [deployment.start(**options), deployment.start(**options)]
    await deployment.ready(*workers)
    seconds = STALL_SECONDS + 2
    napping = await deployment.enqueue(NappingJob, Act(name="napping", seconds=seconds))
    spinning = await deployment.enqueue(SpinningJob, Act(name="spinning", seconds=seconds))
    for job_id in (napping, spinning):
        job = await deployment.ends(job_id)
        assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 1)
    assert len(deployment.marks("started")) == 2
    assert not [worker.log for worker in workers if "dead" in worker.log]
