"""A part of the worker that awaits what somebody else has cancelled: the worker continues."""

import asyncio
from typing import Any

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.finishing.finisher import Finisher
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.registration import WorkerRegistration
from modhost_background_jobs.worker.watching.lease_watch import WorkerWatch

pytestmark = pytest.mark.anyio


class Once:
    """Awaits something cancelled the first time that a method is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, method: str) -> None:
        self.has_run = False
        usual = getattr(owner, method)

        async def run(*arguments: Any) -> Any:
            if not self.has_run:
                self.has_run = True
                future = asyncio.get_running_loop().create_future()
                future.cancel()
                await future
            return await usual(*arguments)

        monkeypatch.setattr(owner, method, run)


@pytest.mark.parametrize(
    ("part", "method"),
    [
        (WorkerWatch, "run"),
        (Finisher, "run"),
        (ProcessPool, "run"),
        (WorkerRegistration, "follow"),
        (ProgressBuffer, "_flush_first_lines"),
    ],
)
async def test_its_end_is_logged_and_the_worker_starts_again(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: type,
    method: str,
) -> None:
    """The other parts ended without a word, and no job began any more."""
    once = Once(monkeypatch, part, method)
    async with jobs_host(database_url) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work(lines=1)))
    assert once.has_run
    assert (job.state, len(job.logs)) == (JobState.COMPLETED, 1)
    assert any("crashed; it restarts" in record.message for record in caplog.records)


async def test_the_end_of_a_job_is_written_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_host(database_url) as jobs:
        once = Once(monkeypatch, await jobs.service(JobStore), "end")
        job = await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()))
    assert once.has_run
    assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 1)
