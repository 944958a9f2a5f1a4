"""Queues that no worker serves are an alarm with a number, paused ones are shown and none."""

from datetime import UTC, datetime, timedelta

import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import JobsModule, Probe, ReportingJob, WaitingJob, Work
from background_jobs.queries.plans import assert_read_by, plans_of, statements
from background_jobs.support import add_worker, jobs_database
from modhost.checks import Finding
from modhost.configuration import Configuration
from modhost.diagnosis import examine
from modhost.runtime.assembly import build_host
from modhost_background_jobs.inspection.alerts import alerts_of
from modhost_background_jobs.inspection.snapshot import Snapshot, Snapshots
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.queries.load import PendingJobs, QueueLoad
from modhost_background_jobs.storage import open_store
from moving_clock import START

pytestmark = pytest.mark.anyio

TOMORROW = timedelta(days=1)


async def snapshot_of(jobs: Jobs) -> Snapshot:
    return await (await jobs.service(Snapshots)).take()


async def page(jobs: Jobs, path: str = "/admin/jobs") -> str:
    client = await jobs.host.client("BackgroundJobs.ViewJobs")
    return (await client.get(path, headers={"Accept": "text/html"})).text


async def found(database_url: str, queues: list[str]) -> list[Finding]:
    """Return what the doctor finds with an option `queues`."""
    config = {
        "host": {"database_url": database_url},
        "modules": {"background_jobs": {"queues": queues}},
    }
    modules = [BackgroundJobsModule(), JobsModule(Probe())]
    host = build_host(Configuration(config), "command", modules=modules)
    return list((await examine(host)).findings)


async def put(jobs: Jobs) -> None:
    """Enqueue three jobs for bulk, one of which is due tomorrow, and one for mail."""
    later = datetime.now(UTC) + TOMORROW
    for _ in range(2):
        await jobs.scheduling.enqueue(ReportingJob, Work(), queue="bulk", priority=3)
    await jobs.scheduling.schedule(WaitingJob, later, queue="bulk")
    await jobs.scheduling.schedule(ReportingJob, later, Work(), queue="mail")


async def test_a_queue_that_no_worker_serves_is_an_alarm_with_how_many_wait(
    database_url: str,
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await put(jobs)
        # Without a worker that is the trouble.
        assert [each.title for each in alerts_of(await snapshot_of(jobs))] == [
            "Nothing executes jobs"
        ]
        async with jobs_host(database_url, queues=["*", "!bulk"]):
            (alert,) = alerts_of(await snapshot_of(jobs))
            assert alert.title == "No worker serves the queue bulk"
            assert alert.text.startswith("3 jobs wait in it. Start a worker that has it")
            assert alert.href == "/admin/jobs/list?state=Pending&queue=bulk"
            assert await jobs.health() == "No worker serves the queue of some pending jobs (1)."
            assert "No worker serves the queue bulk." in await page(jobs)
            assert "<div>*, !bulk</div>" in await page(jobs, "/admin/jobs/workers")
            await jobs.scheduling.pause_queue("bulk", reason="<b>")
            assert (alerts_of(await snapshot_of(jobs)), await jobs.health()) == ([], "")
            shown = await page(jobs)
            assert (
                "The queue bulk is paused by the host (&lt;b&gt;).</strong> 2 jobs wait." in shown
            )
            assert "/admin/jobs/list?state=Pending&amp;queue=bulk" in shown


async def test_a_pause_without_due_work_is_not_shown(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await jobs.scheduling.pause_queue("mail")
        await jobs.scheduling.pause_job_type("tests.WaitingJob")
        ended = datetime.now(UTC) - timedelta(hours=1)
        later = datetime.now(UTC) + TOMORROW
        await jobs.scheduling.schedule(ReportingJob, later, Work(), queue="mail")
        assert (await snapshot_of(jobs)).paused == []
        await jobs.scheduling.schedule(WaitingJob, ended)
        (paused,) = (await snapshot_of(jobs)).paused
        assert (paused.pause.kind, paused.waiting) == ("type", "1 job waits")


async def test_the_default_queue_may_be_served_by_none(database_url: str) -> None:
    async with jobs_host(database_url, queues=["mail"]) as jobs:
        await jobs.scheduling.enqueue(WaitingJob)
        await jobs.scheduling.enqueue(WaitingJob, priority=1)
        (alert,) = alerts_of(await snapshot_of(jobs))
        assert alert.title == "No worker serves the queue default"
        assert alert.text.startswith("2 jobs wait in it")


async def test_the_doctor_names_a_queue_that_no_worker_serves(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await put(jobs)
        assert await found(database_url, ["*"]) == []
        findings = await found(database_url, ["mail"])
        assert [each.rule.code for each in findings] == ["MH615"]
        assert findings[0].detail == (
            "3 jobs wait in the queue 'bulk', which this host would not serve; no worker is alive."
        )
        async with jobs_host(database_url, queues=["mail"]):
            # The other one is that of the health.
            _, finding = await found(database_url, ["*"])
        assert finding.detail == "3 jobs wait in the queue 'bulk', which no living worker serves."
        assert (finding.rule.code, finding.rule.severity) == ("MH615", "warning")
        assert "whose option `queues` has 'bulk'" in finding.remedy


async def test_what_waits_is_counted_by_indexes_alone_and_up_to_a_bound(sqlite_url: str) -> None:
    async with jobs_database(sqlite_url).open() as database:
        await add_worker(open_store(database))
        load = QueueLoad(database, max_counted=2)
        pending = [PendingJobs("tests.Job", queue, START) for queue in ("default", "bulk")]
        with statements() as sent:
            await load.read()
            assert await load.counts([pending, pending[:1], []]) == [0, 0, 0]
        assert await load.counts([]) == []
        plans = await plans_of(database, sent[-1:])
        assert_read_by(plans, "_lane_type (job_type=? AND queue=?)", "_claim (job_type=?)")
