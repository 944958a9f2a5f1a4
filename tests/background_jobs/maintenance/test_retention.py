"""What is deleted, and what is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, Work
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.contracts import JobFilter, JobState
from modhost_background_jobs.maintenance.retention import RetentionService
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.departed import DepartedWorkers
from modhost_background_jobs.storage.retention import RetentionStore
from modhost_background_jobs.storage.statistics import StatisticsStore, TypeStatisticsStore
from modhost_background_jobs.storage.tables import FINISHED
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("hours", "hours_failed", "kept"),
    [
        (1, 1, []),
        (1, 100, [JobState.FAILED]),
        (100, 1, [JobState.FAILED, JobState.COMPLETED]),
        (0, 1, [JobState.FAILED, JobState.COMPLETED]),
        (1, 0, [JobState.FAILED]),
    ],
)
async def test_old_jobs_go_unless_they_are_kept_and_old_figures_always_go(
    database_url: str, hours: int, hours_failed: int, kept: list[JobState]
) -> None:
    async with jobs_host(database_url) as jobs, jobs.host.scope() as scope:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(lines=3))
        assert (await jobs.ends(job_id)).state is JobState.COMPLETED
        failed = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        assert (await jobs.ends(failed)).state is JobState.FAILED
        ended_at = SystemClock().now() - timedelta(hours=5)
        database = await scope.get(Database)
        async with database.session() as session:
            connection = await session.connection()
            await connection.execute(update(FINISHED).values(completed_at=ended_at))
        recent = await jobs.scheduling.enqueue(ReportingJob, Work())
        assert (await jobs.ends(recent)).state is JobState.COMPLETED
        clock = MovingClock(SystemClock().now())
        statistics = await scope.get(StatisticsStore)
        long_ago = (clock.time - timedelta(days=10)).replace(second=0, microsecond=0)
        await statistics.save("w1", [(long_ago, MinuteCounts(completed=1))])
        retention = RetentionService(
            await scope.get(JobStore),
            await scope.get(RetentionStore),
            statistics,
            await scope.get(TypeStatisticsStore),
            await scope.get(DepartedWorkers),
            BackgroundJobsOptions(
                retention=timedelta(hours=hours), retention_failed=timedelta(hours=hours_failed)
            ),
            clock,
        )
        await retention.prune()
        left = await jobs.querying.get_jobs(JobFilter())
        assert [job.state for job in left.items if job.id != recent] == kept
        assert recent in [job.id for job in left.items]
        assert long_ago not in await statistics.since(long_ago, timedelta(minutes=1))


async def test_what_a_job_that_waits_may_read_of_those_before_it_is_kept(
    database_url: str,
) -> None:
    """Its results were left out without a word, where another one before it took long."""
    async with jobs_host(database_url) as jobs, jobs.host.scope() as scope:
        before = await jobs.scheduling.enqueue(ReportingJob, Work())
        assert (await jobs.ends(before)).state is JobState.COMPLETED
        later = datetime.now(UTC) + timedelta(days=30)
        slow = await jobs.scheduling.schedule(ReportingJob, later, Work())
        waiting = await jobs.scheduling.enqueue(ReportingJob, Work(), after=[before, slow])
        retention = await scope.get(RetentionStore)
        long_after = datetime.now(UTC) + timedelta(days=20)
        assert await retention.prune(JobState.COMPLETED, long_after, 100) == 0
        await jobs.scheduling.cancel(waiting)
        assert await retention.prune(JobState.COMPLETED, long_after, 100) == 1
        assert await jobs.querying.get_job_detail(before) is None
