"""What waits and runs, as every process of a deployment reports it, on both databases."""

from datetime import timedelta
from typing import Any, ClassVar

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ProbedJob, ReportingJob, WaitingJob, Work
from background_jobs.queries.plans import statements
from modhost.module import Role
from modhost.runtime.metrics.own import HOST_METRICS
from modhost.testing import running_host
from modhost_background_jobs.contracts import Concurrency, JobExecutionContext
from modhost_background_jobs.metrics.declared import METRICS
from modhost_background_jobs.module import BackgroundJobsModule
from scraping import VIEW_METRICS, Scrape, scrape

pytestmark = pytest.mark.anyio


class LimitedJob(ProbedJob):
    queue: ClassVar[str] = "mail"
    concurrency: ClassVar[Any] = Concurrency(1, name="server")

    async def execute(self, context: JobExecutionContext) -> None:
        await self.probe.gate.wait()


async def scraped(jobs: Jobs) -> Scrape:
    return await scrape(await jobs.host.client(VIEW_METRICS))


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_each_process_has_all_metrics_as_they_are_declared(
    database_url: str, role: Role
) -> None:
    config = {"host": {"database_url": database_url}}
    async with running_host([BackgroundJobsModule()], config=config, role=role) as host:
        found = await scrape(await host.client(VIEW_METRICS))
    found.fits([*HOST_METRICS, *METRICS])
    assert found.value("modhost_host", role=role) == 1
    assert found.value("modhost_database_up") == 1
    assert found.value("modhost_module_metrics_up", module="background_jobs") == 1
    assert (found.value("background_jobs_slots") > 0) is (role == "worker")


async def test_a_producer_says_what_waits(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[LimitedJob]) as jobs:
        now = jobs.host.host.clock.now()
        for number in range(3):
            due = now - timedelta(minutes=number)
            await jobs.scheduling.schedule(ReportingJob, due, Work(name=f"{number}"))
        later = now + timedelta(hours=1)
        await jobs.scheduling.schedule(ReportingJob, later, Work())
        await jobs.scheduling.enqueue(LimitedJob, Work())
        await jobs.scheduling.enqueue(WaitingJob, Work(), queue="bulk", priority=5)
        found = await scraped(jobs)
    found.fits(METRICS)
    of = {"queue": "default", "job_type": "tests.ReportingJob"}
    assert found.value("background_jobs_pending", **of) == 4
    assert found.value("background_jobs_due", **of) == 3
    assert 120 <= found.value("background_jobs_oldest_due_age_seconds", **of) < 180
    assert found.value("background_jobs_due", queue="mail", job_type="tests.LimitedJob") == 1
    assert found.value("background_jobs_due", queue="bulk", job_type="tests.WaitingJob") == 1
    assert found.value("background_jobs_due", queue="default", job_type="tests.WaitingJob") == 0
    assert found.total("background_jobs_running") == 0
    assert found.value("background_jobs_workers", state="alive") == 0
    assert found.value("background_jobs_slots") == 0
    assert found.value("background_jobs_limit_waiting", limit="server") == 0


async def test_a_worker_says_what_runs_and_what_limits_hold_back(database_url: str) -> None:
    async with jobs_host(database_url, more_jobs=[LimitedJob], max_concurrency=4) as jobs:
        for _ in range(3):
            await jobs.scheduling.enqueue(LimitedJob, Work())
        with anyio.fail_after(20):
            while True:
                found = await scraped(jobs)
                held_back = found.value("background_jobs_limit_waiting", limit="server")
                # The process is read first, the database a moment later.
                if held_back == 2 and found.value("background_jobs_held") == 1:
                    break
                await anyio.sleep(0.1)
        assert found.value("background_jobs_running", job_type="tests.LimitedJob") == 1
        assert found.value("background_jobs_workers", state="alive") == 1
        assert found.value("background_jobs_slots") == 4
        jobs.probe.gate.set()


async def test_no_scrape_reads_history(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[LimitedJob]) as jobs:
        client = await jobs.host.client(VIEW_METRICS)
        for job in (ReportingJob, LimitedJob, WaitingJob):
            await jobs.scheduling.enqueue(job, Work(), queue="q")
        with statements() as sent:
            await scrape(client)
    seen = [statement for statement, _ in sent]
    # The token, whether the database answers, and five reads of the queue.
    reads = [each for each in seen if each.startswith(("SELECT", "WITH"))]
    assert 0 < len(reads) <= 8
    assert not [each for each in seen if "finished_jobs" in each]


async def test_queues_beyond_the_bound_are_one(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        for number in range(510):
            await jobs.scheduling.enqueue(ReportingJob, Work(), queue=f"customer-{number}")
        found = await scraped(jobs)
    assert len(found.values("background_jobs_due")) == 501
    assert found.total("background_jobs_due") == 510
    assert found.value("background_jobs_due", queue="(other)", job_type="(other)") >= 10
