"""Jobs whose rows a hung client has locked: they wait, and the others continue."""

from collections.abc import AsyncIterator

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.hung_client import rows_locked
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost_background_jobs.contracts import JobState, ModuleJob

pytestmark = pytest.mark.anyio


@pytest.fixture
async def jobs(postgres_url: str) -> AsyncIterator[Jobs]:
    """A worker with one slot: a job that keeps it keeps all others from running."""
    async with jobs_host(postgres_url, max_concurrency=1) as jobs:
        yield jobs


@pytest.mark.parametrize("kind", [WaitingJob, ReportingJob])
async def test_others_begin_report_and_end_while_the_end_of_one_waits(
    jobs: Jobs, postgres_url: str, kind: type[ModuleJob]
) -> None:
    """One locked row kept a worker from beginning any job for 80 s, while 1,339 waited."""
    first = await jobs.scheduling.enqueue(WaitingJob, Work())
    await jobs.reaches(first, JobState.RUNNING)
    async with rows_locked(postgres_url, "jobs", f"id = '{first}'"):
        jobs.probe.gate.set()
        others = [await jobs.scheduling.enqueue(kind, Work(lines=3)) for _ in range(5)]
        with anyio.fail_after(15):
            for other in others:
                assert (await jobs.ends(other)).state is JobState.COMPLETED
        assert (await jobs.detail(first)).state is JobState.RUNNING
    job = await jobs.ends(first)
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
