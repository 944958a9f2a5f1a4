"""What the page of one job reads."""

from uuid import UUID

import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from background_jobs.queries.plans import statements
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.job import JobInspection

pytestmark = pytest.mark.anyio


async def sent_for(jobs: Jobs, job_id: UUID) -> int:
    async with jobs.host.scope() as scope:
        inspection = await scope.get(JobInspection)
        with statements() as sent:
            await inspection.inspect(job_id)
    return len(sent)


async def test_the_page_of_a_job_takes_at_most_four_statements(database_url: str) -> None:
    """It took eight, five of them for a sentence that only pending jobs have."""
    async with jobs_host(database_url, retry_base_delay="1h") as jobs:
        finished = await jobs.scheduling.enqueue(ReportingJob, Work())
        failed = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        for job_id in (finished, failed):
            await jobs.ends(job_id)
        failing = await jobs.scheduling.enqueue(ReportingJob, Work(name="f", failures=1))
        await jobs.probe.until(lambda: jobs.probe.started["f"] == 1)
        await jobs.reaches(failing, JobState.PENDING)
        running = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(running, JobState.RUNNING)
        counts = [await sent_for(jobs, each) for each in (finished, failed, running, failing)]
        assert counts == [3, 3, 3, 4]
        jobs.probe.gate.set()
