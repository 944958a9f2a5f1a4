"""`GET /api/jobs/{id}` with `Prefer: wait=n` answers when the job has ended (RFC 7240)."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost import new_id
from modhost.runtime.shutdown import ShutdownSignal
from modhost_background_jobs.api.preferences import Preferences
from modhost_background_jobs.client.blocking.waiting import JobWaits
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio

LATER = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=30", 30),
        ("wait=0", 0),
        ("wait=60", 60),
        ("wait=61", 60),
        ("wait=999999999", 60),
        ("WAIT = 5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=5", 5),
        ('note="a, wait=9; b", wait=5; mode=x', 5),
        (r'note="a\", wait=9", wait=5', 5),
        ("wait=5, wait=9", 5),
        ("", None),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=5s", None),
        ("wait=5 9", None),
        ("wait=soon, wait=5", None),
        ("wait=99999999999999999999", None),
        ("respond-async", None),
        ("=5, ;;, wait:5", None),
        ('"' * 5000, None),
        ('"\\' * 5000 + ", wait=5", None),
    ],
)
def test_how_long_to_wait_is_read_as_the_standard_says(header: str, seconds: int | None) -> None:
    assert Preferences(Prefer=header.split("|")).wait_seconds == seconds


async def asked(jobs: Jobs, number: int) -> None:
    waits = await jobs.service(JobWaits)
    await jobs.probe.until(lambda: waits.callers == number)


async def test_the_answer_comes_when_the_job_has_ended(database_url: str) -> None:
    async with jobs_host(database_url, poll_interval="60s") as jobs:
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        answers: list[Any] = []

        async def ask() -> None:
            headers = {"Prefer": "respond-async, wait=60"}
            answers.append(await client.get(f"/api/jobs/{job_id}", headers=headers))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                await asked(jobs, 1)
                assert answers == []
                jobs.probe.gate.set()
        (answer,) = answers
        assert (answer.status_code, answer.json()["state"]) == (200, "Completed")
        assert answer.headers["preference-applied"] == "wait=60"
        again = await client.get(f"/api/jobs/{job_id}", headers={"Prefer": "wait=1000"})
        assert again.headers["preference-applied"] == "wait=60"


async def test_the_answer_comes_when_the_seconds_have_passed(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        path = f"/api/jobs/{job_id}"
        for seconds in (0, 1):
            answer = await client.get(path, headers={"Prefer": f"wait={seconds}"})
            assert (answer.status_code, answer.json()["state"]) == (200, "Pending")
            assert answer.headers["preference-applied"] == f"wait={seconds}"
        for ignored in ("wait=soon", "respond-async"):
            with anyio.fail_after(10):
                answer = await client.get(path, headers={"Prefer": ignored})
            assert answer.status_code == 200
            assert "preference-applied" not in answer.headers
        unknown = await client.get(f"/api/jobs/{new_id()}", headers={"Prefer": "wait=30"})
        assert unknown.status_code == 404


async def test_whoever_may_not_see_jobs_does_not_wait(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        client = await jobs.host.client()
        with anyio.fail_after(10):
            answer = await client.get(f"/api/jobs/{job_id}", headers={"Prefer": "wait=60"})
        assert answer.status_code == 401


async def test_a_shutdown_ends_the_wait(sqlite_url: str) -> None:
    async with AsyncExitStack() as stack:
        jobs = await stack.enter_async_context(jobs_host(sqlite_url, mode="Producer"))
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        shutdown = await jobs.service(ShutdownSignal)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:

                async def ask() -> None:
                    headers = {"Prefer": "wait=60"}
                    answer = await client.get(f"/api/jobs/{job_id}", headers=headers)
                    assert answer.json()["state"] == JobState.PENDING

                group.start_soon(ask)
                await asked(jobs, 1)
                shutdown.begin()


async def test_the_description_of_the_api_has_it(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        document = (await (await jobs.host.client()).get("/openapi.json")).json()
    parameters = document["paths"]["/api/jobs/{id}"]["get"]["parameters"]
    (prefer,) = [each for each in parameters if each["in"] == "header"]
    assert (prefer["name"], prefer["required"]) == ("Prefer", False)
    assert "60 at most" in prefer["schema"]["description"]
