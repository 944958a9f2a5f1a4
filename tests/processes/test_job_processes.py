"""Jobs in processes of their own, and what becomes of them with their worker."""

import os
import signal

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import ApartJob, StuckJob
from processes.deployment import QUICK, Deployment
from processes.host_process import until
from processes.living import lives
from processes.stage import Act
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


async def test_a_worker_that_is_asked_to_stop_releases_its_job(deployment: Deployment) -> None:
    worker = await deployment.start(**QUICK, shutdown_grace="300ms").ready()
    job_id = await deployment.enqueue(ApartJob, Act())
    (started,) = await deployment.marked("started")
    assert started.process != worker.pid
    # A service manager signals all processes that the service has.
    os.kill(started.process, signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 0, worker.log
    assert not lives(started.process)
    assert "Killing the process of the job" in worker.log
    job = await deployment.detail(job_id)
    assert (job.state, job.retry_count) == (JobState.PENDING, 0)
    assert job.attempts[0].error == "released: its worker shut down."
    assert [line.message for line in job.logs] == [f"computing in {started.process}"]


@ONE_DATABASE
async def test_an_interrupt_leaves_a_job_the_grace_to_end(deployment: Deployment) -> None:
    worker = await deployment.start(**QUICK).ready()
    job_id = await deployment.enqueue(ApartJob, Act(name="gated"))
    (started,) = await deployment.marked("started")
    os.killpg(worker.pid, signal.SIGINT)
    await worker.logs("Stopping: 1 jobs")
    os.kill(started.process, signal.SIGINT)
    assert lives(started.process)
    deployment.stage.open_gate("gated", started.process)
    assert await worker.exit_code() == 0, worker.log
    job = await deployment.detail(job_id)
    assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 1)
    assert not lives(started.process)


@ONE_DATABASE
@pytest.mark.parametrize("kind", [ApartJob, StuckJob])
async def test_a_worker_that_is_killed_takes_its_job_with_it_and_all_that_this_has_started(
    deployment: Deployment, kind: type[ApartJob | StuckJob]
) -> None:
    """Linux killed the job's process, before that could kill the programs it had started."""
    victim = await deployment.start(**QUICK).ready()
    job_id = await deployment.enqueue(kind, Act(name="job"))
    (first,) = await deployment.marked("started")
    victim.signal(signal.SIGKILL)
    await until(lambda: not lives(first.process), "the process of the job to end")
    programs = [int(mark.name) for mark in deployment.marks("program")]
    await until(lambda: not any(map(lives, programs)), "the programs of the job to end")
    if kind is StuckJob:
        return
    await deployment.start(**QUICK).ready()
    _, second = await deployment.marked("started", times=2)
    deployment.stage.open_gate("job", second.process)
    job = await deployment.ends(job_id)
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)


@ONE_DATABASE
async def test_a_job_that_never_gives_the_lock_back_is_cancelled(deployment: Deployment) -> None:
    worker = await deployment.start(**QUICK, kill_grace="100ms").ready()
    job_id = await deployment.enqueue(StuckJob, Act())
    (started,) = await deployment.marked("started")
    await deployment.cancel(job_id)
    job = await deployment.ends(job_id)
    assert job.state is JobState.CANCELLED
    assert not lives(started.process)
    assert "Traceback" not in worker.log
