"""Callers wait for a job through the death of its worker, and are woken by another process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from hosts import HostedJobs, host_with
from modhost_background_jobs.contracts import JobState, JobStatus
from processes.acting import ActingModule, GatedJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def waiting(deployment: Deployment, url: str) -> AsyncIterator[list[JobStatus]]:
    """A host without a worker, which does not poll, waits for a job whose worker is killed."""
    worker = deployment.start(**QUICK)
    await deployment.ready(worker)
    async with host_with(
        url,
        ActingModule(),
        background_jobs={"poll_interval": "120s"},
        acting={"folder": deployment.folder},
    ) as jobs:
        job_id = await jobs.scheduling.enqueue(GatedJob, Act(name="gated"))
        await deployment.marked("started", "gated")
        found: list[JobStatus] = []

        async def wait(jobs: HostedJobs) -> None:
            found.append(await jobs.scheduling.wait(job_id, timedelta(seconds=90)))

        with anyio.fail_after(80):
            async with anyio.create_task_group() as group:
                group.start_soon(wait, jobs)
                await anyio.sleep(0.2)
                worker.kill()
                yield found
    deployment.kill_all()


async def test_the_wait_ends_when_another_worker_has_done_the_job(
    deployment: Deployment, database_url: str
) -> None:
    async with waiting(deployment, database_url) as found:
        deployment.start(**QUICK)
        began = await deployment.marked("started", "gated", times=2)
        assert found == []
        deployment.stage.open_gate("gated", began[-1].process)
    assert [each.state for each in found] == [JobState.COMPLETED]


async def test_the_wait_ends_when_nobody_is_to_run_the_job_again(
    deployment: Deployment, database_url: str
) -> None:
    async with waiting(deployment, database_url) as found:
        second = deployment.start(**QUICK, max_rescues="1")
        await deployment.marked("started", "gated", times=2)
        second.kill()
        deployment.start(**QUICK, max_rescues="1")
    (status,) = found
    assert status.state is JobState.FAILED
    assert "died while they ran this job" in str(status.error)
