"""Commands on a machine whose clock is wrong go by that of the database."""

from datetime import timedelta

import pytest

from background_jobs.commands import Commands
from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob
from modhost.clock import SystemClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]


async def test_a_job_that_is_retried_is_due_now_and_workers_are_alive(
    database_url: str, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job was due an hour later, and all workers were taken for dead."""
    right = SystemClock.now
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        await jobs.ends(job_id)
        monkeypatch.setattr(SystemClock, "now", lambda clock: right(clock) + timedelta(hours=1))
        assert (await commands.json("stats"))["workers"] == 1
    await commands.done("retry", str(job_id))
    monkeypatch.undo()
    async with jobs_host(database_url) as jobs:
        await jobs.until(job_id, lambda job: job.state.is_final and len(job.attempts) == 2)
