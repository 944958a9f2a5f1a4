"""A host whose clock is wrong fires and deletes nothing, runs jobs, and says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import anyio
import pytest
from sqlalchemy import update

from background_jobs.hosts import QUICK
from background_jobs.jobs_module import JobsModule, Probe, ReportingJob, Work
from hosts import HostedJobs, host_with
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.contracts import JobFilter, JobState
from modhost_background_jobs.inspection.alerts import alerts_of
from modhost_background_jobs.inspection.diagnosis import QueueDiagnosis
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.maintenance.retention import RetentionService
from modhost_background_jobs.model import WorkerInfo
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.storage import open_store
from modhost_background_jobs.storage.tables import SCHEDULES

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("patient")]

OPTIONS = {
    **QUICK,
    "worker_mode": "Consumer",
    "heartbeat_interval": "100ms",
    "stall_timeout": "60s",
    "poll_interval": "50ms",
}
PEER = WorkerInfo(
    name="peer", host="other", process=1, version="1", max_concurrency=1, job_types=()
)


class WrongClock(SystemClock):
    """Ahead by some days."""

    def __init__(self, days: float) -> None:
        self.ahead = timedelta(days=days)

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the peer heard also where this process, and so its heartbeats, stand still."""
    missed = "modhost_background_jobs.storage.clocks.shared_clock.HEARTBEATS_MISSED"
    monkeypatch.setattr(missed, 600)


@asynccontextmanager
async def peer(database_url: str) -> AsyncIterator[None]:
    """Another process whose clock is right, by which a host with a file knows that its is not."""
    async with Database(database_url).open_bare() as database, anyio.create_task_group() as group:
        store = open_store(database)
        await store.register(PEER, SystemClock().now())

        async def beat() -> None:
            while True:
                await store.beat(PEER.name, SystemClock().now())
                await anyio.sleep(0.05)

        group.start_soon(beat)
        yield
        group.cancel_scope.cancel()


async def runs(jobs: HostedJobs) -> int:
    return (await jobs.querying.get_jobs(JobFilter(job_type="tests.ReportingJob"))).total_count


async def make_due(database: Database) -> None:
    due_at = SystemClock().now() - timedelta(seconds=30)
    async with database.session() as session:
        due = update(SCHEDULES).values(next_run_at=due_at)
        await (await session.connection()).execute(due)


async def test_an_edit_by_it_leaves_the_run_that_is_due_to_a_clock_that_is_right(
    database_url: str,
) -> None:
    """The edit fired what was due by the wrong clock."""
    clock = WrongClock(10)
    async with (
        peer(database_url),
        host_with(database_url, JobsModule(Probe()), clock=clock, background_jobs=OPTIONS) as jobs,
    ):
        for cron_expression in ("0 0 1 1 *", "0 0 2 1 *"):
            await jobs.scheduling.add_recurring(
                ReportingJob, data=Work(), name="yearly", cron_expression=cron_expression
            )
            await make_due(await jobs.service(Database))
        await jobs.scheduling.add_recurring(
            ReportingJob, data=Work(), name="yearly", cron_expression="0 0 3 1 *"
        )
        assert await runs(jobs) == 0
        clock.ahead = timedelta(0)
        with anyio.fail_after(20):
            while await runs(jobs) < 1:
                await anyio.sleep(0.05)


@pytest.mark.parametrize("days", [10, -10])
async def test_it_runs_jobs_and_decides_nothing_for_others_until_its_clock_is_right(
    database_url: str, days: float
) -> None:
    """Ahead by ten days it fired ten days of due times; behind, what it ended was deleted."""
    clock = WrongClock(days)
    async with (
        peer(database_url),
        host_with(database_url, JobsModule(Probe()), clock=clock, background_jobs=OPTIONS) as jobs,
        jobs.host.scope() as scope,
    ):
        await jobs.scheduling.add_recurring(
            ReportingJob, data=Work(), name="minutely", cron_expression="* * * * *"
        )
        await make_due(await scope.get(Database))
        module = BackgroundJobsModule()
        with anyio.fail_after(20):
            while "clock of this host" not in (await module.check_health(scope)).detail:
                await anyio.sleep(0.05)
        job = await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()))
        assert job.state is JobState.COMPLETED
        assert job.created_at is not None
        if database_url.startswith("postgresql"):
            assert abs(job.created_at - SystemClock().now()) < timedelta(minutes=1)
        assert await (await scope.get(RetentionService)).prune() == 0
        await anyio.sleep(0.5)
        assert await runs(jobs) == 1
        snapshots = await scope.get(Snapshots)
        with anyio.fail_after(20):
            while not (snapshot := await snapshots.take()).wrong_clocks:
                await anyio.sleep(0.05)
        assert any("clock" in alert.title for alert in alerts_of(snapshot))
        codes = [each.rule.code for each in await (await scope.get(QueueDiagnosis)).findings()]
        assert "MH611" in codes
        clock.ahead = timedelta(0)
        with anyio.fail_after(20):
            while "clock" in (await module.check_health(scope)).detail or await runs(jobs) < 2:
                await anyio.sleep(0.05)
