"""What a worker counts of its own work, on both databases."""

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import (
    JobsModule,
    PermanentlyFailingJob,
    Probe,
    ReportingJob,
    ThreadJob,
    Work,
)
from background_jobs.support import add_worker, claim, new_job
from hosts import host_with
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService
from modhost_background_jobs.metrics.declared import METRICS
from modhost_background_jobs.model import Lane, Lease, LogLine
from modhost_background_jobs.model.counts import MAX_KEYS, JobCounts
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from moving_clock import START, MovingClock
from scraping import VIEW_METRICS, Scrape, scrape

pytestmark = pytest.mark.anyio

DEFAULT = {"queue": "default", "job_type": "tests.ReportingJob"}
MAIL = {"queue": "mail", "job_type": "tests.ReportingJob"}


async def test_ends_retries_waits_and_runs_are_counted(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        client = await jobs.host.client(VIEW_METRICS)
        before = await scrape(client)
        assert before.value("background_jobs_finished_total", outcome="Failed", **DEFAULT) == 0
        enqueued = [
            await jobs.scheduling.enqueue(ReportingJob, Work(name="a")),
            await jobs.scheduling.enqueue(ReportingJob, Work(name="b", failures=2)),
            await jobs.scheduling.enqueue(ReportingJob, Work(name="c"), queue="mail", priority=1),
            await jobs.scheduling.enqueue(ReportingJob, Work(name="d"), queue="mail", priority=2),
            await jobs.scheduling.enqueue(PermanentlyFailingJob),
        ]
        running = await jobs.scheduling.enqueue(ThreadJob)
        await jobs.probe.until(lambda: jobs.probe.started["thread"] == 1)
        await jobs.scheduling.cancel(running)
        for each in (*enqueued, running):
            await jobs.ends(each)

        def is_all(found: Scrape) -> bool:
            return found.total("background_jobs_finished_total") == 6

        with anyio.fail_after(20):
            while not is_all(found := await scrape(client)):
                await anyio.sleep(0.1)
    found.fits(METRICS)
    finished = "background_jobs_finished_total"
    assert found.value(finished, outcome="Completed", **DEFAULT) == 2
    # Of all priorities together.
    assert found.value(finished, outcome="Completed", **MAIL) == 2
    assert found.value(finished, outcome="Failed", job_type="tests.PermanentlyFailingJob") == 1
    assert found.value(finished, outcome="Cancelled", job_type="tests.ThreadJob") == 1
    assert found.value("background_jobs_retries_total", **DEFAULT) == 2
    assert found.total("background_jobs_retries_total") == 2
    for name in ("wait", "run"):
        assert found.value(f"background_jobs_{name}_seconds_count", **MAIL) == 2
        assert found.value(f"background_jobs_{name}_seconds_sum", **MAIL) < 40
    # Each of the six once, and one of them twice more.
    assert found.value("background_jobs_claimed_total") == 8
    assert found.value("background_jobs_claims_total") >= 3
    assert found.value("background_jobs_claim_failures_total") == 0


async def test_what_is_yet_to_be_written_has_an_age(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, progress_flush_interval="1h") as jobs:
        client = await jobs.host.client(VIEW_METRICS)
        assert (await scrape(client)).value("background_jobs_flush_lag_seconds") == 0
        await jobs.scheduling.enqueue(ThreadJob)
        await jobs.probe.until(lambda: jobs.probe.started["thread"] == 1)
        (attempt,) = (await jobs.processor()).attempts
        buffer = await jobs.service(ProgressBuffer)
        with anyio.fail_after(20):
            # The first lines of a job are written soon.
            while buffer.unwritten()[0]:
                await anyio.sleep(0.02)
        for number in range(100, 103):
            buffer.log(_line(attempt.lease, number))
        with anyio.fail_after(20):
            while (await scrape(client)).value("background_jobs_flush_entries") != 3:
                await anyio.sleep(0.1)
        found = await scrape(client)
        assert found.value("background_jobs_flush_lag_seconds") > 1000
        jobs.probe.thread_gate.set()


def _line(lease: Lease, number: int) -> LogLine:
    return LogLine(lease, number, START, "a line")


async def test_rescues_are_counted(database_url: str, clock: MovingClock) -> None:
    options = {"worker_mode": "Producer", "stall_timeout": "20s", "stall_sweep_interval": "5s"}
    module = JobsModule(Probe())
    async with host_with(database_url, module, clock=clock, background_jobs=options) as jobs:
        store = await jobs.service(JobStore)
        await add_worker(store)
        await store.insert([new_job(), new_job()])
        assert len(await claim(store)) == 2
        sweeper = await jobs.service(StalledJobSweeperService)
        for _ in range(6):
            await sweeper.step()
            clock.advance(5)
        found = await scrape(await jobs.host.client(VIEW_METRICS))
    assert found.value("background_jobs_rescues_total", state="Pending") == 2
    assert found.value("background_jobs_rescues_total", state="Failed") == 0
    assert found.total("background_jobs_rescues_total") == 2


def test_a_worker_counts_some_lanes_apart_and_the_others_together() -> None:
    counts = JobCounts()
    for number in range(MAX_KEYS + 5):
        lane = Lane(f"customer-{number}", 0, "tests.Job")
        counts.of(lane.stored, "tests.Job").retried += 1
    found = list(counts)
    assert len(found) == MAX_KEYS + 1
    queue, job_type, others = found[-1]
    assert (queue, job_type, others.retried) == ("(other)", "(other)", 5)
