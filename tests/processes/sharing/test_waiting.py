"""Callers wait for a job through the death of its worker, and are woken by another process."""

from datetime import timedelta

import anyio
import pytest

from hosts import host_with
from modhost_background_jobs.contracts import JobState
from processes.acting import ActingModule, GatedJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio


async def test_the_wait_ends_when_another_worker_has_done_the_job(
    deployment: Deployment, database_url: str
) -> None:
    """The host that waits has no worker, and does not poll."""
    first = deployment.start(**QUICK)
    await deployment.ready(first)
    async with host_with(
        database_url,
        ActingModule(),
        background_jobs={"poll_interval": "120s"},
        acting={"folder": deployment.folder},
    ) as jobs:
        job_id = await jobs.scheduling.enqueue(GatedJob, Act(name="gated"))
        await deployment.marked("started", "gated")
        states = []

        async def wait() -> None:
            states.append((await jobs.scheduling.wait(job_id, timedelta(seconds=90))).state)

        with anyio.fail_after(80):
            async with anyio.create_task_group() as group:
                group.start_soon(wait)
                await anyio.sleep(0.2)
                first.kill()
                second = deployment.start(**QUICK)
                began = await deployment.marked("started", "gated", times=2)
                assert states == []
                deployment.stage.open_gate("gated", began[-1].process)
        assert states == [JobState.COMPLETED]
        second.kill()
