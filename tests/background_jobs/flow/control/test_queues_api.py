"""The API of queues and job types: what waits and runs, and who pauses it until when and why."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from background_jobs.flow.control.served import MailJob, by_name, served
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio

FIELDS = {
    "name",
    "is_paused",
    "paused_by",
    "paused_until",
    "reason",
    "pending",
    "due",
    "running",
    "oldest_due_at",
    "finished_last_minute",
    "workers",
}


async def test_queues_and_types_say_what_waits_and_what_is_due(database_url: str) -> None:
    async with served(database_url) as (jobs, client):
        later = datetime.now(UTC) + timedelta(days=1)
        before = datetime.now(UTC) - timedelta(hours=1)
        await jobs.scheduling.schedule(ReportingJob, before, Work())
        await jobs.scheduling.schedule(ReportingJob, later, Work())
        await jobs.scheduling.enqueue(ReportingJob, Work(), queue="bulk", priority=-5)
        await jobs.scheduling.enqueue(ReportingJob, Work(), priority=5)
        for number in range(3):
            await jobs.scheduling.enqueue(MailJob, Work(name=f"n{number}"))
        queues, types = await by_name(client, "queues"), await by_name(client, "types")
    counts = {name: (each["pending"], each["due"]) for name, each in queues.items()}
    assert counts == {"bulk": (1, 1), "default": (3, 2), "mail/out.eu": (3, 3)}
    assert set(queues["bulk"]) == FIELDS == set(types["tests.MailJob"])
    oldest = datetime.fromisoformat(queues["default"]["oldest_due_at"])
    assert abs(oldest - before) < timedelta(milliseconds=1)
    assert queues["default"]["oldest_due_at"].endswith("Z")
    reporting = types["tests.ReportingJob"]
    assert (reporting["pending"], reporting["due"]) == (4, 3)
    assert types["tests.MailJob"]["pending"] == 3
    assert "tests.Old" not in types, "an alias is not a type of its own"
    idle = types["tests.WaitingJob"]
    assert (idle["pending"], idle["running"], idle["oldest_due_at"]) == (0, 0, None)
    assert (idle["is_paused"], idle["paused_by"], idle["reason"]) == (False, None, None)
    assert {each["workers"] for each in (*queues.values(), *types.values())} == {0}


async def test_what_runs_and_finished_and_who_serves_it(database_url: str) -> None:
    options = {"queues": ["*", "!bulk"]}
    async with served(database_url, "Consumer", **options) as (jobs, client):
        ended = await jobs.scheduling.enqueue(ReportingJob, Work(), queue="daily")
        await jobs.ends(ended)
        running = [await jobs.scheduling.enqueue(MailJob, Work(name=n)) for n in "ab"]
        for job_id in running:
            await jobs.reaches(job_id, JobState.RUNNING)
        queues, types = await by_name(client, "queues"), await by_name(client, "types")
        limits = await by_name(client, "limits")
        jobs.probe.gate.set()
    assert (queues["mail/out.eu"]["running"], queues["mail/out.eu"]["pending"]) == (2, 0)
    assert queues["daily"]["finished_last_minute"] == 1
    assert {name: each["workers"] for name, each in queues.items()} == {
        "bulk": 0,
        "daily": 1,
        "default": 1,
        "mail/out.eu": 1,
    }
    assert types["tests.MailJob"]["running"] == 2
    assert types["tests.ReportingJob"]["finished_last_minute"] == 1
    assert types["tests.WaitingJob"]["workers"] == 1
    assert limits["provider/eu #1"]["running"] == 2


async def test_a_queue_is_paused_with_a_reason_and_an_end_and_resumed(database_url: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    async with served(database_url) as (_, client):
        path = f"/api/jobs/queues/{quote('mail/out.eu', safe='')}"
        pause = {"until": until.isoformat(), "reason": "The provider is down"}
        paused = await client.post(f"{path}/pause", json=pause)
        assert paused.status_code == 200
        assert paused.json()["is_paused"] is True
        assert paused.json()["reason"] == "The provider is down"
        assert datetime.fromisoformat(paused.json()["paused_until"]) == until
        assert paused.json()["paused_by"].startswith("token:")
        assert (await by_name(client, "queues"))["mail/out.eu"] == paused.json()
        resumed = await client.post(f"{path}/resume")
        assert (resumed.status_code, resumed.json()["is_paused"]) == (200, False)
        assert (await client.post(f"{path}/resume")).status_code == 200


async def test_the_body_of_a_pause_is_optional(sqlite_url: str) -> None:
    async with served(sqlite_url) as (_, client):
        paused = await client.post("/api/jobs/queues/not%20used%20yet/pause")
        assert (paused.status_code, paused.json()["name"]) == (200, "not used yet")
        assert (paused.json()["paused_until"], paused.json()["reason"]) == (None, "")
        resumed = await client.post("/api/jobs/queues/not%20used%20yet/resume/")
        assert (resumed.status_code, resumed.json()["is_paused"]) == (200, False)


async def test_a_type_is_paused_and_resumed_but_not_one_that_nobody_knows(
    database_url: str,
) -> None:
    async with served(database_url) as (_, client):
        paused = await client.post("/api/jobs/types/tests.WaitingJob/pause", json={"reason": "why"})
        assert (paused.status_code, paused.json()["reason"]) == (200, "why")
        assert (await by_name(client, "types"))["tests.WaitingJob"] == paused.json()
        resumed = await client.post("/api/jobs/types/tests.WaitingJob/resume")
        assert (resumed.status_code, resumed.json()["is_paused"]) == (200, False)
        assert (await by_name(client, "types"))["tests.WaitingJob"] == resumed.json()
        for verb in ("pause", "resume"):
            unknown = await client.post(f"/api/jobs/types/tests.WaitingJbo/{verb}")
            assert unknown.status_code == 404
            assert "Did you mean 'tests.WaitingJob'?" in unknown.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "in the future"),
        ({"until": "2100-01-01T00:00:00"}, "until"),
        ({"until": 5.5e300}, "until"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": None}, "reason"),
        ({"untill": "2100-01-01T00:00:00Z"}, "untill"),
        ([], "body"),
    ],
)
async def test_a_bad_pause_is_a_422_that_says_what_is_wrong(
    sqlite_url: str, body: Any, words: str
) -> None:
    async with served(sqlite_url) as (_, client):
        for path in ("queues/default", "types/tests.WaitingJob"):
            answer = await client.post(f"/api/jobs/{path}/pause", json=body)
            assert answer.status_code == 422, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert words in answer.text.lower()
        queues, types = await by_name(client, "queues"), await by_name(client, "types")
        assert not queues["default"]["is_paused"]
        assert not types["tests.WaitingJob"]["is_paused"]


@pytest.mark.parametrize("name", ["*", "!bulk", "a,b", " ", "x" * 101])
async def test_a_name_that_no_queue_can_have_is_a_422(sqlite_url: str, name: str) -> None:
    async with served(sqlite_url) as (_, client):
        for verb in ("pause", "resume"):
            answer = await client.post(f"/api/jobs/queues/{quote(name, safe='')}/{verb}")
            assert answer.status_code == 422
            assert "No queue is named" in answer.json()["detail"]


async def test_paused_work_waits_and_the_rest_does_not(database_url: str) -> None:
    async with served(database_url, "Consumer") as (jobs, client):
        assert (await client.post("/api/jobs/queues/bulk/pause")).status_code == 200
        assert (await client.post("/api/jobs/types/tests.WaitingJob/pause")).status_code == 200
        jobs.probe.gate.set()
        # Workers follow within a second.
        await anyio.sleep(1)
        bulk = await jobs.scheduling.enqueue(ReportingJob, Work(), queue="bulk")
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        other = await jobs.scheduling.enqueue(ReportingJob, Work())
        await jobs.ends(other)
        assert (await jobs.detail(bulk)).state is JobState.PENDING
        assert (await jobs.detail(waiting)).state is JobState.PENDING
        await client.post("/api/jobs/queues/bulk/resume")
        await client.post("/api/jobs/types/tests.WaitingJob/resume")
        await jobs.ends(bulk)
        await jobs.ends(waiting)
