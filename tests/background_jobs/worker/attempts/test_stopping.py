"""What becomes of a job that is asked to stop, however it takes it."""

from datetime import timedelta

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.unwilling_jobs import (
    UNWILLING,
    ReturningThreadJob,
    SwallowingJob,
    TranslatingJob,
    UnresponsiveThreadJob,
)
from modhost_background_jobs.contracts import JobDetail, JobState, ModuleJob
from modhost_background_jobs.worker.processor import JobProcessorService
from modhost_background_jobs.worker.shutdown import Shutdown
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts

pytestmark = pytest.mark.anyio

RELEASED = "released: its worker shut down."


async def end_when_asked(jobs: Jobs, processor: JobProcessorService) -> None:
    """Let the thread end after the request to stop, and before it is given up."""
    await jobs.probe.until(lambda: all(each.is_to_stop for each in processor.attempts))
    jobs.probe.thread_gate.set()


async def left_by_a_shutdown(database_url: str, job: type[ModuleJob]) -> JobDetail:
    async with jobs_host(database_url, more_jobs=UNWILLING, shutdown_grace="50ms") as jobs:
        job_id = await jobs.starts(job)
    async with jobs_host(database_url, more_jobs=UNWILLING, mode="Producer") as jobs:
        return await jobs.detail(job_id)


@pytest.mark.parametrize("job", [SwallowingJob, ReturningThreadJob])
async def test_a_job_that_returns_when_its_worker_shuts_down_is_released(
    database_url: str, job: type[ModuleJob]
) -> None:
    """It may have left its work half done, and was taken for completed."""
    left = await left_by_a_shutdown(database_url, job)
    assert (left.state, left.retry_count) == (JobState.PENDING, 0)
    assert left.attempts[0].error == RELEASED


async def test_a_job_that_makes_an_error_of_its_cancellation_is_released_all_the_same(
    database_url: str,
) -> None:
    """Its only attempt was spent, and it had failed permanently."""
    left = await left_by_a_shutdown(database_url, TranslatingJob)
    assert (left.state, left.retry_count) == (JobState.PENDING, 0)
    error = left.attempts[0].error or ""
    assert error.startswith(f"{RELEASED}\n\nConnectionError: the connection was closed")


async def test_a_thread_that_ends_without_having_checked_has_completed(database_url: str) -> None:
    async with anyio.create_task_group() as group:
        async with jobs_host(database_url, more_jobs=UNWILLING, shutdown_grace="50ms") as jobs:
            (await jobs.service(Shutdown)).stop_timeout = 60
            job_id = await jobs.starts(UnresponsiveThreadJob)
            group.start_soon(end_when_asked, jobs, await jobs.processor())
    async with jobs_host(database_url, more_jobs=UNWILLING, mode="Producer") as jobs:
        assert (await jobs.detail(job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize("job", UNWILLING)
async def test_a_job_that_was_cancelled_is_cancelled_however_it_ends(
    database_url: str, job: type[ModuleJob]
) -> None:
    async with jobs_host(database_url, more_jobs=UNWILLING) as jobs:
        job_id = await jobs.starts(job)
        await jobs.scheduling.cancel(job_id)
        if job is UnresponsiveThreadJob:
            await jobs.stop_was_asked(job_id)
            jobs.probe.thread_gate.set()
        assert (await jobs.ends(job_id)).state is JobState.CANCELLED


@pytest.mark.parametrize("job", UNWILLING)
async def test_a_job_over_its_time_has_timed_out_however_it_ends(
    database_url: str, job: type[ModuleJob]
) -> None:
    async with jobs_host(database_url, more_jobs=UNWILLING) as jobs:
        job_id = await jobs.starts(job, timeout=timedelta(seconds=0.05))
        if job is UnresponsiveThreadJob:
            await jobs.stop_was_asked(job_id)
            jobs.probe.thread_gate.set()
        ended = await jobs.ends(job_id)
    assert ended.state is JobState.FAILED
    error = ended.error or ""
    assert error.startswith("timed out: the attempt took longer than 0.05 s.")
    assert ("ConnectionError: the connection" in error) is (job is TranslatingJob)


async def test_a_thread_that_ignores_the_request_is_reported(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with jobs_host(database_url, more_jobs=UNWILLING) as jobs:
        (await jobs.service(UnresponsiveAttempts)).grace_seconds = 0.05
        job_id = await jobs.starts(UnresponsiveThreadJob)
        await jobs.scheduling.cancel(job_id)
        reported = await jobs.until(job_id, lambda job: bool(job.logs))
        assert reported.state is JobState.RUNNING
        health = await jobs.health()
        jobs.probe.thread_gate.set()
        assert (await jobs.ends(job_id)).state is JobState.CANCELLED
    assert "Asked to stop (cancelled)" in reported.logs[0].message
    assert f"The job {job_id} (tests.UnresponsiveThreadJob) does not stop. Asked" in caplog.text
    assert f"The job {job_id} (tests.UnresponsiveThreadJob) was asked to stop" in health
