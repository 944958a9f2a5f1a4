"""Jobs that fork: what the child gets is the child's, and not the worker's."""

import os
import signal
import socket
from urllib.parse import urlsplit

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import QuickJob
from processes.deployment import QUICK, Deployment
from processes.faults.forking_jobs import ForkingApartJob, ForkingJob, ParentJob
from processes.host_process import until
from processes.stage import Act
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


@ONE_DATABASE
@pytest.mark.parametrize("kind", [ForkingJob, ForkingApartJob])
async def test_a_child_that_is_terminated_ends_and_the_worker_continues(
    deployment: Deployment, kind: type[ForkingJob]
) -> None:
    worker = await deployment.start(**QUICK).ready()
    job = await deployment.ends(await deployment.enqueue(kind, Act()))
    assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 1)
    assert len(deployment.marks(f"ended_by_{signal.SIGTERM.value}")) == 1
    await deployment.ends(await deployment.enqueue(QuickJob, Act(name="next")))
    (next_job,) = deployment.marks("started", "next")
    assert next_job.process == worker.pid
    assert "stopping" not in worker.log


@ONE_DATABASE
async def test_a_child_does_not_keep_the_address_of_a_host_that_is_killed(
    deployment: Deployment,
) -> None:
    host = await deployment.start("run", worker_mode="Consumer").ready()
    await deployment.enqueue(ParentJob, Act())
    (child,) = await deployment.marked("program")
    host.signal(signal.SIGKILL)
    await host.exit_code()
    try:
        await until(lambda: _is_free(urlsplit(host.url).port), "the address to be free")
    finally:
        os.kill(int(child.name), signal.SIGKILL)


def _is_free(port: int | None) -> bool:
    try:
        socket.create_server(("127.0.0.1", port or 0)).close()
    except OSError:
        return False
    return True
