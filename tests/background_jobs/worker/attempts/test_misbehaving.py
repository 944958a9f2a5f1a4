"""Whatever a job does, it comes to an end of its own, and its worker continues."""

from datetime import timedelta

import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from background_jobs.misbehaving_jobs import (
    FAILING,
    MISBEHAVING,
    BackingOffForEverJob,
    OverSnoozingJob,
)
from background_jobs.support import new_job
from modhost.clock import SystemClock
from modhost_background_jobs.contracts import JobState, ModuleJob
from modhost_background_jobs.storage import JobStore
from sweeps import first_on_both

pytestmark = pytest.mark.anyio


async def works_still(jobs: Jobs, beside: object) -> None:
    """All slots take jobs, and the one that ran beside is undisturbed."""
    ids = [await jobs.scheduling.enqueue(ReportingJob, Work(name="after")) for _ in range(4)]
    for job_id in ids:
        assert (await jobs.ends(job_id, seconds=15)).state is JobState.COMPLETED
    jobs.probe.gate.set()
    ended = await jobs.ends(beside)  # type: ignore[arg-type]
    assert ended.state is JobState.COMPLETED
    assert [attempt.error for attempt in ended.attempts] == [None]
    assert jobs.probe.started["waiting"] == 1


@first_on_both("job", FAILING)
async def test_a_job_that_misbehaves_has_failed_and_disturbs_no_other(
    database_url: str, job: type[ModuleJob]
) -> None:
    async with jobs_host(database_url, more_jobs=MISBEHAVING, max_concurrency=3) as jobs:
        beside = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        job_id = await jobs.scheduling.enqueue(job, max_attempts=2)
        ended = await jobs.ends(job_id, seconds=15)
        assert ended.state is JobState.FAILED
        assert [attempt.number for attempt in ended.attempts] == [1, 2]
        assert (ended.error or "").startswith(FAILING[job])
        await works_still(jobs, beside)


@pytest.mark.parametrize("job", [OverSnoozingJob, BackingOffForEverJob])
async def test_a_wait_beyond_all_dates_is_cut(database_url: str, job: type[ModuleJob]) -> None:
    longest = timedelta(days=36500)
    async with jobs_host(database_url, more_jobs=MISBEHAVING, retry_max_delay=longest) as jobs:
        job_id = await jobs.scheduling.enqueue(job)
        waiting = await jobs.until(
            job_id, lambda detail: bool(detail.attempts) and detail.state is JobState.PENDING
        )
    # The bound, less the jitter.
    assert waiting.execute_at - SystemClock().now() > 0.74 * longest


async def test_data_that_cannot_be_read_fails_its_own_job_alone(database_url: str) -> None:
    """Secrets were searched for where the whole batch was taken over, and all of it was lost."""
    deep = "[" * 900 + '{"$secret":"abcd"}' + "]" * 900
    data = ('{"name":"a"}', deep, '{"name":"c"}')
    new = [new_job(job_type="tests.ReportingJob", data=each, max_attempts=1) for each in data]
    async with jobs_host(database_url) as jobs:
        async with jobs.host.scope() as scope:
            await (await scope.get(JobStore)).insert(new)
        ended = [await jobs.ends_unread(job.id, seconds=15) for job in new]
    assert ended == [JobState.COMPLETED, JobState.FAILED, JobState.COMPLETED]
