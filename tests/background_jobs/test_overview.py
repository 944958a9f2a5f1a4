from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from background_jobs.support import new_job
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queue.histogram import Histogram
from modhost_background_jobs.queue.store import JobStore
from modhost_background_jobs.services.overview import Overview
from modhost_background_jobs.worker.statistics import StatisticsService

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def overview_of(jobs: Jobs) -> AsyncIterator[Overview]:
    async with jobs.host.scope() as scope:
        yield await scope.get(Overview)


async def test_what_ended_is_counted_with_its_wait_and_run_times(database_url: str) -> None:
    async with jobs_host(database_url) as jobs, overview_of(jobs) as overview:
        for _ in range(4):
            await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()))
        await jobs.ends(await jobs.scheduling.enqueue(PermanentlyFailingJob))
        async with jobs.host.scope() as scope:
            await (await scope.get(StatisticsService)).write()
        hour, day = await overview.history("hour"), await overview.history("day")
        summary = await overview.summary()
    assert (len(hour), len(day)) == (60, 48)
    assert sum(bucket.completed for bucket in hour) == 4
    assert sum(bucket.failed for bucket in day) == 1
    assert any(bucket.run_p95 is not None and bucket.run_p95 < 1 for bucket in hour)
    assert summary.failed_last_day == 1


async def test_the_summary_tells_what_waits_and_runs(database_url: str) -> None:
    async with jobs_host(database_url, max_concurrency=1) as jobs, overview_of(jobs) as overview:
        running = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(running, JobState.RUNNING)
        for _ in range(3):
            await jobs.scheduling.enqueue(ReportingJob, Work())
        summary = await overview.summary()
        assert (summary.running, summary.pending, summary.pending_is_capped) == (1, 3, False)
        assert summary.oldest_pending_at is not None
        (worker,) = await overview.workers()
        assert worker.is_alive
        assert "tests.WaitingJob" in worker.job_types
        jobs.probe.gate.set()


async def test_a_pending_job_says_why_it_waits(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs, overview_of(jobs) as overview:
        now_due = await jobs.scheduling.enqueue(ReportingJob, Work())
        later = await jobs.scheduling.schedule(
            ReportingJob, datetime.now(UTC) + timedelta(hours=5, seconds=30), Work()
        )
        assert "No consumer is alive" in str(await overview.why_waiting(now_due))
        assert await overview.why_waiting(later) == "It is due in 5 hours."
        (attention,) = await overview.attention()
        assert attention.title == "Nothing executes jobs"
        assert "Jobs are due and wait" in attention.text
        unknown = new_job(job_type="gone.Job")
        async with jobs.host.scope() as scope:
            await (await scope.get(JobStore)).insert([unknown])
        async with jobs_host(database_url):
            await jobs.ends(now_due)
            why = await overview.why_waiting(unknown.id)
            assert why is not None
            assert why.startswith("No living consumer knows the type gone.Job")
            (attention,) = await overview.attention()
            assert attention.title == "No consumer knows the type gone.Job"
        assert await overview.why_waiting(now_due) is None


async def test_a_job_waits_for_a_free_slot_or_for_its_next_attempt(database_url: str) -> None:
    async with jobs_host(
        database_url, max_concurrency=1, retry_base_delay="1h", heartbeat_interval="50ms"
    ) as jobs, overview_of(jobs) as overview:  # fmt: skip
        failing = await jobs.scheduling.enqueue(ReportingJob, Work(name="f", failures=1))
        await jobs.probe.until(lambda: jobs.probe.started["f"] == 1)
        await jobs.reaches(failing, JobState.PENDING)
        why = await overview.why_waiting(failing)
        assert why is not None
        assert why.startswith("Its attempt 1 failed; the next one is due in ")
        await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        while not any(worker.running for worker in await overview.workers()):
            await jobs.probe.until(lambda: True)
        waiting = await jobs.scheduling.enqueue(ReportingJob, Work())
        with anyio.fail_after(10):
            while "All slots" not in str(await overview.why_waiting(waiting)):
                await jobs.probe.until(lambda: True)
        jobs.probe.gate.set()


def test_percentiles_are_right_within_a_fifth() -> None:
    histogram = Histogram()
    assert histogram.percentile(0.5) is None
    for milliseconds in range(1, 1001):
        histogram.add(milliseconds / 1000)
    assert histogram.percentile(0.5) == pytest.approx(0.5, rel=0.25)
    assert histogram.percentile(0.95) == pytest.approx(0.95, rel=0.25)


async def test_health_tells_that_jobs_wait_for_nobody(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        client = await jobs.host.client()

        async def report() -> dict[str, str]:
            ready = (await client.get("/health/ready")).json()
            part: dict[str, str] = ready["parts"]["background_jobs"]
            return part

        assert (await report())["status"] == "healthy"
        long_ago = datetime.now(UTC) - timedelta(minutes=5)
        await jobs.scheduling.schedule(ReportingJob, long_ago, Work())
        found = await report()
        assert found["status"] == "degraded"
        assert found["detail"] == "Jobs or schedules are due, and no consumer is alive."
        async with jobs_host(database_url):
            with anyio.fail_after(20):
                while (await report())["status"] != "healthy":
                    await jobs.probe.until(lambda: True)
