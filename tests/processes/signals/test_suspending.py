"""A worker that is suspended, taken for dead, and then wakes up: a zombie."""

import re
import signal

import pytest

from modhost_background_jobs.contracts import JobState
from processes.acting import BlockingJob, GatedJob, SuspendedJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio

OPTIONS = {**QUICK, "stall_timeout": "60s"}
"""No sweeper takes a worker for dead that only stutters: the tests say when one is."""


async def test_nothing_that_a_zombie_does_to_its_former_jobs_is_stored(
    deployment: Deployment,
) -> None:
    """When it wakes, one of its jobs continues and has to be cancelled; the other ends at once."""
    zombie = await deployment.start(**OPTIONS).ready()
    going_on = await deployment.enqueue(GatedJob, Act(name="going-on"))
    await deployment.marked("started", "going-on")
    ending = await deployment.enqueue(BlockingJob, Act(name="ending"))
    await deployment.marked("started", "ending")
    await deployment.suspend(zombie)
    # One for each: beside a job that blocks the event loop no other would get on.
    for _ in range(2):
        deployment.start(**{**OPTIONS, "max_concurrency": "1"})
    await deployment.take_for_dead(zombie)
    replacements = {
        name: (await deployment.marked("started", name, times=2))[-1].process
        for name in ("going-on", "ending")
    }
    deployment.stage.open_gate("ending", zombie.pid)
    zombie.signal(signal.SIGCONT)
    (finished,) = await deployment.marked("finished", "ending")
    (stopped,) = await deployment.marked("stopped", "going-on")
    assert {finished.process, stopped.process} == {zombie.pid}
    await zombie.logs(f"lost lease.*{going_on}")
    await zombie.logs(f"lost lease.*{ending}")
    await zombie.logs("was taken for dead and its jobs were handed to others; it registers again")
    for job_id in (going_on, ending):
        assert (await deployment.detail(job_id)).state is JobState.RUNNING
    for name, job_id in (("going-on", going_on), ("ending", ending)):
        deployment.stage.open_gate(name, replacements[name])
        job = await deployment.ends(job_id)
        assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
        assert f"-{replacements[name]}-" in (job.worker or "")
        assert f"-{zombie.pid}-" in (job.attempts[0].worker or "")
    job = await deployment.detail(going_on)
    replacement = replacements["going-on"]
    assert job.progress_message == f"in {replacement}"
    lines = [line.message for line in job.logs]
    first_of_replacement = lines.index(f"waiting in {replacement}")
    assert set(lines[first_of_replacement:]) == {f"waiting in {replacement}"}
    # What it logged after it woke would have a time after the other's first line.
    times = [line.timestamp for line in job.logs]
    assert times == sorted(times)


async def test_suspensions_are_no_deaths_for_which_a_job_is_quarantined(
    deployment: Deployment,
) -> None:
    """After three of them it failed: "3 workers died while they ran this job"; none had."""
    # A worker gives up on correcting a rescue while another's write of progress locks the job.
    options = {**OPTIONS, "max_rescues": "2", "progress_flush_interval": "60s"}
    workers = [deployment.start(**options) for _ in range(2)]
    await deployment.ready(*workers)
    job_id = await deployment.enqueue(GatedJob, Act())
    for number in range(3):
        running = (await deployment.marked("started", times=number + 1))[-1].process
        (zombie,) = [worker for worker in workers if worker.pid == running]
        await deployment.suspend(zombie)
        await deployment.take_for_dead(zombie, max_rescues=2)
        await deployment.marked("started", times=number + 2)
        zombie.signal(signal.SIGCONT)
        await zombie.logs(f"lost lease: the claim {number + 1} of job {job_id}")
    last = deployment.marks("started")[-1].process
    deployment.stage.open_gate("job", last)
    job = await deployment.ends(job_id)
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
    errors = [str(attempt.error).partition(":")[0] for attempt in job.attempts]
    assert errors[:3] == ["cut off"] * 3


@ONE_DATABASE
async def test_a_suspension_is_not_reported_as_a_job_that_blocks_the_event_loop(
    deployment: Deployment,
) -> None:
    """It was where the loop turned a tenth of a second after it."""
    worker = await deployment.start().ready()
    job = await deployment.ends(await deployment.enqueue(SuspendedJob, Act(seconds=3)))
    assert (job.state, list(job.logs)) == (JobState.COMPLETED, [])
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 0
    assert not re.findall(r"^.*block(?:s|ed) the event loop.*$", worker.log, re.MULTILINE)
