import httpx2
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from modhost import new_id
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"


async def manager(jobs: Jobs) -> httpx2.AsyncClient:
    return await jobs.host.client(VIEW, MANAGE)


async def test_jobs_are_listed_with_and_without_a_trailing_slash(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        client = await manager(jobs)
        ids = [await jobs.scheduling.enqueue(ReportingJob, Work()) for _ in range(3)]
        for job_id in ids:
            await jobs.ends(job_id)
        for path in ("/api/jobs", "/api/jobs/"):
            answer = await client.get(path, params={"state": "completed", "page_size": 2})
            assert answer.status_code == 200
            page = answer.json()
            assert (page["total_count"], page["page"], page["page_size"]) == (3, 1, 2)
            assert [item["id"] for item in page["items"]] == [str(ids[2]), str(ids[1])]
        second = (await client.get("/api/jobs?page=2&page_size=2")).json()
        assert [item["id"] for item in second["items"]] == [str(ids[0])]
        item = second["items"][0]
        assert set(item) == {
            "id",
            "job_type",
            "state",
            "progress_percentage",
            "progress_message",
            "created_at",
            "completed_at",
            "queue",
            "priority",
            "tags",
            "summary",
        }
        assert (item["queue"], item["priority"], item["tags"]) == ("default", 0, [])
        assert item["completed_at"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("state=Nonsense", "state"),
    ],
)
async def test_a_bad_parameter_is_a_422_that_names_it(
    sqlite_url: str, query: str, field: str
) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        answer = await (await manager(jobs)).get(f"/api/jobs?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_job_is_shown_with_everything_that_is_known_of_it(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(name="a", lines=1))
        await jobs.ends(job_id)
        answer = await (await manager(jobs)).get(f"/api/jobs/{job_id}")
    job = answer.json()
    assert set(job) == {
        *("id", "job_type", "state", "progress_percentage", "progress_message", "created_at"),
        *("completed_at", "started_at", "error", "retry_count", "module_name", "data", "result"),
        "logs",
        *("execute_at", "worker", "attempts", "recurring_job_id", "due_at"),
        *(
            "queue",
            "priority",
            "tags",
            "summary",
            "waiting_for",
            "steps",
            "workflow_id",
            "trace_id",
            "after",
            "when",
        ),
    }
    assert set(job["logs"][0]) == {"timestamp", "message"}
    assert set(job["attempts"][0]) == {"number", "started_at", "ended_at", "worker", "error"}


async def test_a_pending_job_is_cancelled_and_then_a_conflict(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        client = await manager(jobs)
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        answer = await client.post(f"/api/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "Cancelled")
        answer = await client.post(f"/api/jobs/{job_id}/cancel")
        assert answer.status_code == 409
        assert "is Cancelled and cannot be cancelled" in answer.json()["detail"]


async def test_a_running_job_is_asked_to_stop_with_a_202(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(job_id, JobState.RUNNING)
        answer = await (await manager(jobs)).post(f"/api/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "Running")
        assert (await jobs.ends(job_id)).state is JobState.CANCELLED


async def test_a_failed_job_is_retried(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        client = await manager(jobs)
        job_id = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        await jobs.ends(job_id)
        answer = await client.post(f"/api/jobs/{job_id}/retry")
        assert (answer.status_code, answer.json()["id"]) == (200, str(job_id))
        await jobs.probe.until(lambda: jobs.probe.started["permanent"] == 2)


@pytest.mark.parametrize("unknown", ["0197a3b0-5f7e-7c2d-9a51-8c6e0f3b2d10", "no-uuid"])
async def test_an_unknown_id_and_one_that_is_not_a_uuid_are_not_found(
    sqlite_url: str, unknown: str
) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        client = await manager(jobs)
        answers = [
            await client.get(f"/api/jobs/{unknown}"),
            await client.post(f"/api/jobs/{unknown}/cancel"),
            await client.post(f"/api/jobs/{unknown}/retry"),
            await client.post(f"/api/jobs/recurring/{unknown}/toggle"),
            await client.delete(f"/api/jobs/recurring/{unknown}"),
        ]
    assert [answer.status_code for answer in answers] == [404] * 5


async def test_schedules_are_listed_toggled_and_deleted(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        client = await manager(jobs)
        recurring_id = await jobs.scheduling.add_recurring(
            ReportingJob, name="Nightly", cron_expression="0 3 * * *", time_zone="Europe/Berlin"
        )
        (schedule,) = (await client.get("/api/jobs/recurring")).json()
        assert set(schedule) == {
            *("id", "name", "module_name", "job_type", "cron_expression", "time_zone"),
            *("is_enabled", "last_run_at", "last_due_at", "next_run_at", "created_at"),
            "problem",
        }
        assert (schedule["name"], schedule["is_enabled"]) == ("Nightly", True)
        path = f"/api/jobs/recurring/{recurring_id}"
        assert (await client.post(f"{path}/toggle")).json() == {"is_enabled": False}
        (schedule,) = (await client.get("/api/jobs/recurring")).json()
        assert schedule["next_run_at"] is None
        assert (await client.post(f"{path}/toggle")).json() == {"is_enabled": True}
        for verb, is_enabled in (("enable", True), ("disable", False), ("disable", False)):
            answer = await client.post(f"{path}/{verb}")
            assert (answer.status_code, answer.json()) == (200, {"is_enabled": is_enabled})
        answer = await client.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await client.get("/api/jobs/recurring")).json() == []


async def test_looking_needs_view_and_changing_needs_manage(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        requests = [
            ("GET", "/api/jobs"),
            ("GET", f"/api/jobs/{job_id}"),
            ("GET", "/api/jobs/recurring"),
            ("POST", f"/api/jobs/{job_id}/cancel"),
            ("POST", f"/api/jobs/{job_id}/retry"),
            ("POST", f"/api/jobs/recurring/{new_id()}/toggle"),
            ("POST", f"/api/jobs/recurring/{new_id()}/enable"),
            ("POST", f"/api/jobs/recurring/{new_id()}/disable"),
            ("DELETE", f"/api/jobs/recurring/{new_id()}"),
        ]
        answers = {}
        for who, permissions in {"nobody": (), "viewer": (VIEW,), "other": (MANAGE,)}.items():
            client = await jobs.host.client(*permissions)
            answers[who] = [(await client.request(*each)).status_code for each in requests]
    assert answers["nobody"] == [401] * 9
    assert answers["viewer"] == [200, 200, 200, *[403] * 6]
    assert answers["other"] == [403, 403, 403, 200, 409, *[404] * 4]
