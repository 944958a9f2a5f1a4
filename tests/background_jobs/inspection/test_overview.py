from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from background_jobs.support import claim, new_job
from blocked_completions import completions_blocked
from modhost.database import Database
from modhost_background_jobs.contracts import JobDetail, JobState
from modhost_background_jobs.inspection.alerts import alerts_of
from modhost_background_jobs.inspection.job import JobInspection
from modhost_background_jobs.inspection.overview import Overview
from modhost_background_jobs.inspection.snapshot import Snapshot, Snapshots
from modhost_background_jobs.inspection.waiting import Waiting
from modhost_background_jobs.model import Ended
from modhost_background_jobs.model.statistics import Histogram
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from moving_clock import START

pytestmark = pytest.mark.anyio


def longest_reported(seconds: float) -> float:
    """A step of the histogram is not quite a half wider than where it begins; the first is 1 ms."""
    return 1.5 * seconds + 0.001


def ran(job: JobDetail) -> float:
    assert job.completed_at is not None
    assert job.started_at is not None
    return (job.completed_at - job.started_at).total_seconds()


@asynccontextmanager
async def overview_of(jobs: Jobs) -> AsyncIterator[Overview]:
    async with jobs.host.scope() as scope:
        yield await scope.get(Overview)


async def why_waits(jobs: Jobs, job_id: UUID) -> Waiting | None:
    async with jobs.host.scope() as scope:
        return (await (await scope.get(JobInspection)).inspect(job_id)).why_waiting


async def text_of(jobs: Jobs, job_id: UUID) -> str:
    waiting = await why_waits(jobs, job_id)
    assert waiting is not None
    return waiting.text


async def snapshot_of(jobs: Jobs) -> Snapshot:
    async with jobs.host.scope() as scope:
        return await (await scope.get(Snapshots)).take()


async def test_what_ended_is_counted_with_its_wait_and_run_times(database_url: str) -> None:
    async with jobs_host(database_url) as jobs, overview_of(jobs) as overview:
        ended = [
            await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work())) for _ in range(4)
        ]
        ended.append(await jobs.ends(await jobs.scheduling.enqueue(PermanentlyFailingJob)))
        statistics = await jobs.service(StatisticsService)
        # The worker counts an end a moment after it is stored.
        with anyio.fail_after(20):
            while sum(each.completed + each.failed for each in await overview.history("hour")) < 5:
                await statistics.step()
        hour, day = await overview.history("hour"), await overview.history("day")
        summary = await overview.summary(await snapshot_of(jobs))
    assert (len(hour), len(day)) == (60, 48)
    assert sum(bucket.completed for bucket in hour) == 4
    assert sum(bucket.failed for bucket in day) == 1
    longest = max(ran(job) for job in ended)
    reported = [bucket.run_p95 for bucket in hour if bucket.run_p95 is not None]
    assert 0 < max(reported) <= longest_reported(longest)
    assert summary.failed.number == 1


async def test_a_wait_for_the_database_at_the_end_is_not_a_run_time(database_url: str) -> None:
    async with jobs_host(database_url) as jobs, overview_of(jobs) as overview:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(job_id, JobState.RUNNING)
        async with completions_blocked(database_url):
            attempts = (await jobs.processor()).attempts
            jobs.probe.gate.set()
            await jobs.probe.until(lambda: jobs.probe.finished["waiting"] == 1)
            # The worker has noted the end.
            await jobs.probe.until(lambda: all(each.is_finished for each in attempts))
            over_at = datetime.now(UTC)
            await anyio.sleep(1)
        job = await jobs.ends(job_id)
        statistics = await jobs.service(StatisticsService)
        reported: list[float] = []
        with anyio.fail_after(20):
            while not reported:
                await statistics.step()
                hour = await overview.history("hour")
                reported = [bucket.run_p95 for bucket in hour if bucket.run_p95]
    assert job.started_at is not None
    took = (over_at - job.started_at).total_seconds()
    assert 0 < max(reported) <= longest_reported(took)


async def test_the_summary_counts_what_waits_and_runs(database_url: str) -> None:
    async with jobs_host(database_url, max_concurrency=1) as jobs, overview_of(jobs) as overview:
        running = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(running, JobState.RUNNING)
        for _ in range(3):
            await jobs.scheduling.enqueue(ReportingJob, Work())
        summary = await overview.summary(await snapshot_of(jobs))
        assert (summary.running, summary.pending, summary.pending_is_capped) == (1, 3, False)
        assert summary.oldest_pending_at is not None
        (worker,) = (await snapshot_of(jobs)).workers
        assert worker.is_alive
        assert "tests.WaitingJob" in worker.row.job_types
        jobs.probe.gate.set()


async def test_a_pending_job_says_why_it_waits(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        now_due = await jobs.scheduling.enqueue(ReportingJob, Work())
        moment = datetime.now(UTC) + timedelta(hours=5)
        later = await jobs.scheduling.schedule(ReportingJob, moment, Work())
        assert "No worker is alive" in await text_of(jobs, now_due)
        assert await why_waits(jobs, later) == Waiting("It is due", moment)
        (alert,) = alerts_of(await snapshot_of(jobs))
        assert alert.title == "Nothing executes jobs"
        assert "Jobs are due and wait" in alert.text
        unknown = new_job(job_type="gone.Job")
        async with jobs.host.scope() as scope:
            await (await scope.get(JobStore)).insert([unknown])
        async with jobs_host(database_url):
            await jobs.ends(now_due)
            why = await text_of(jobs, unknown.id)
            assert why.startswith("No living worker knows the type gone.Job")
            (alert,) = alerts_of(await snapshot_of(jobs))
            assert alert.title == "No worker knows the type gone.Job"
        assert await why_waits(jobs, now_due) is None


async def test_a_job_waits_for_its_next_attempt_until_a_moment(database_url: str) -> None:
    async with jobs_host(database_url, retry_base_delay="1h") as jobs:
        failing = await jobs.scheduling.enqueue(ReportingJob, Work(name="f", failures=1))
        await jobs.probe.until(lambda: jobs.probe.started["f"] == 1)
        await jobs.reaches(failing, JobState.PENDING)
        waiting = await why_waits(jobs, failing)
        assert waiting is not None
        assert waiting.text == "Its attempt 1 failed; the next one is due"
        assert waiting.until is not None
        assert waiting.until > datetime.now(UTC) + timedelta(minutes=30)


async def test_busy_slots_are_reported_before_the_next_heartbeat(database_url: str) -> None:
    async with jobs_host(
        database_url, max_concurrency=1, heartbeat_interval="5s", stall_timeout="60s"
    ) as jobs:
        running = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(running, JobState.RUNNING)
        snapshot = await snapshot_of(jobs)
        (worker,) = snapshot.workers
        assert (worker.running, snapshot.running_count) == (1, 1)
        assert [row.id for row in worker.jobs] == [running]
        waiting = await jobs.scheduling.enqueue(ReportingJob, Work())
        assert await text_of(jobs, waiting) == (
            "All slots of the workers that know its type are busy."
        )
        jobs.probe.gate.set()


async def test_a_run_shows_that_its_schedule_was_disabled_meanwhile(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        recurring = await jobs.scheduling.add_recurring(
            ReportingJob, name="Nightly", cron_expression="0 3 * * *"
        )
        run = await jobs.scheduling.run_recurring_now(recurring)
        waiting = await why_waits(jobs, run)
        assert waiting is not None
        assert waiting.disabled_schedule is None
        await jobs.scheduling.toggle_recurring(recurring)
        waiting = await why_waits(jobs, run)
        assert waiting is not None
        assert waiting.disabled_schedule == "Nightly"


async def test_the_last_failure_is_the_one_that_failed_last(
    database: Database, store: JobStore
) -> None:
    """The list went by the times of creation: an old job that has failed just now was hidden."""
    old, new = new_job(), new_job()
    await store.insert([old, new])
    leases = {each.lease.job_id: each.lease for each in await claim(store)}
    for number, job in enumerate((new, old)):
        ended = Ended(leases[job.id], JobState.FAILED, "no")
        await store.end([ended], START + timedelta(seconds=number))
    failures = await JobListing(database).latest_failures(1)
    assert [row.id for row in failures] == [old.id]


def test_percentiles_are_right_within_a_fifth() -> None:
    histogram = Histogram()
    assert histogram.percentile(0.5) is None
    histogram.add(milliseconds / 1000 for milliseconds in range(1, 1001))
    assert histogram.percentile(0.5) == pytest.approx(0.5, rel=0.25)
    assert histogram.percentile(0.95) == pytest.approx(0.95, rel=0.25)


async def test_health_reports_that_jobs_wait_for_nobody(database_url: str) -> None:
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
        assert found["detail"] == "Jobs or schedules are due, and no worker is alive."
        async with jobs_host(database_url):
            with anyio.fail_after(20):
                while (await report())["status"] != "healthy":
                    await jobs.probe.until(lambda: True)
