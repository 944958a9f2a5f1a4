"""The page of workers: troubled first, quieted from their rows, and those that left."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Departure, WorkerInfo
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables import WORKERS
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


async def add_workers(served: Site) -> None:
    """Add workers in each kind of trouble, and some that left."""
    store, now = await served.service(JobStore), datetime.now(UTC)
    troubles: dict[str, dict[str, object]] = {
        "z-silent": {"heartbeat_at": now - timedelta(hours=1)},
        "y-blocked": {"blocked_since": now - timedelta(minutes=3)},
        "x-clock": {"clock_skew": 42.0},
        "v-stopping": {"stopping_since": now, "memory": 512 * 2**20},
        "b-stuck": {"unresponsive": 2},
    }
    departures = {"dead": Departure.DIED, "gone": Departure.DRAINED, "broken": Departure.CRASHED}
    for name in (*troubles, *departures):
        worker = WorkerInfo(
            name=name,
            host="rack-7",
            process=1,
            version="1",
            max_concurrency=4,
            job_types=("customers.ImportCustomersJob",),
            queues=("mail", "bulk"),
            app_version="2026.11",
        )
        await store.register(worker, now)
        if name in departures:
            await store.unregister(name, now, departures[name], 2 if name == "dead" else 0)
    async with (await served.service(Database)).session() as session:
        connection = await session.connection()
        for name, values in troubles.items():
            await connection.execute(update(WORKERS).where(WORKERS.c.name == name).values(values))


async def test_troubled_workers_come_first_and_those_that_left_say_how(database_url: str) -> None:
    async with site(database_url, stall_timeout="30m") as served:
        await add_workers(served)
        visitor = await Visitor.of(served, "BackgroundJobs.ViewJobs")
        page = await visitor.get("/admin/jobs/workers")
        text = page.text
        order = [text.index(each) for each in ("z-silent", "y-blocked", "x-clock", "b-stuck")]
        assert order == sorted(order)
        assert order[-1] < text.index("v-stopping")
        for said in ("Not responding", "Blocked", "42 s ahead", "Stuck slots", "510 MB", "2026.11"):
            assert said in text
        assert "mail, bulk" in text
        left = text.partition("Left in the last day")[2]
        assert "1 drained , 1 crashed , 1 died" in left
        assert "2 rescued" in left
        assert "Quiet" not in text.partition("Registered")[2].partition("A quiet worker")[0]
        dashboard = await visitor.get("/admin/jobs")
        assert "4 in trouble" in dashboard.text
        assert "2 died or crashed in the last day" in dashboard.text
        assert "The event loop of the worker y-blocked is blocked" in dashboard.text


async def test_a_worker_is_quieted_and_resumed_from_its_row(served: Site, visitor: Visitor) -> None:
    page = await visitor.get("/admin/jobs/workers")
    (form,) = re.findall(r'action="(/admin/jobs/workers/quiet[^"]+)"', page.source)
    _, page = await visitor.post(form)
    assert "The worker claims no more jobs" in page.text
    (form,) = re.findall(r'action="(/admin/jobs/workers/resume[^"]+)"', page.source)
    assert "1 quiet" in (await visitor.get("/admin/jobs")).text
    _, page = await visitor.post(form)
    assert "The worker claims jobs again." in page.text
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(job_id, JobState.COMPLETED)
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await visitor.client.post("/admin/jobs/workers/quiet?name=nobody", headers=sent)
    assert answer.status_code == 404
    assert "There is no worker nobody" in answer.text


async def test_the_api_lists_workers_and_quiets_them(database_url: str) -> None:
    async with site(database_url, stall_timeout="30m") as served:
        await add_workers(served)
        client = await served.host.client("BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs")
        listed = (await client.get("/api/jobs/workers")).json()
        assert [each["state"] for each in listed] == [
            "not_responding",
            "blocked",
            "wrong_clock",
            "stuck",
            "stopping",
            "alive",
        ]
        gone = (await client.get("/api/jobs/workers/departed")).json()
        assert {(each["name"], each["departure"], each["jobs"]) for each in gone} == {
            ("dead", "died", 2),
            ("gone", "drained", 0),
            ("broken", "crashed", 0),
        }
        name = listed[-1]["name"]
        answer = await client.post(f"/api/jobs/workers/{name}/quiet")
        assert (answer.status_code, answer.json()["state"]) == (200, "quiet")
        answer = await client.post(f"/api/jobs/workers/{name}/resume")
        assert (answer.status_code, answer.json()["quiet_since"]) == (200, None)
        answer = await client.post("/api/jobs/workers/nobody/quiet")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("There is no worker nobody;")


async def test_jobs_beyond_the_tenth_are_among_all_that_run(sqlite_url: str) -> None:
    """The link had the number of one worker, and its list the jobs of all."""
    async with site(sqlite_url, max_concurrency=12) as served:
        visitor = await Visitor.of(served, "BackgroundJobs.ViewJobs")
        ids = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps(pause=60)] * 12)
        for job_id in ids:
            await served.reaches(job_id, JobState.RUNNING)
        page = await visitor.get("/admin/jobs/workers")
        assert "and 2 more, among all that run" in page.text
        assert ">all that run</a>" in page.source
        for job_id in ids:
            await served.scheduling.cancel(job_id)
