"""What people do to jobs and schedules is in the audit, and who enqueued a job in its row."""

from typing import Any

import pytest
from sqlmodel import select

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from modhost import new_id
from modhost.caller import ActingFor, Caller
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import FinishedJob, Job

pytestmark = pytest.mark.anyio

VIEW, MANAGE, AUDIT = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs", "Host.ViewAudit"


async def entries(jobs: Jobs, **search: Any) -> list[dict[str, Any]]:
    client = await jobs.host.client(AUDIT)
    answer = await client.get("/api/audit", params={"page_size": 200, **search})
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_cancelled_job_is_in_the_audit_with_who_and_from_where(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        client = await jobs.host.client(VIEW, MANAGE)
        assert (await client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
        assert (await client.post(f"/api/jobs/{job_id}/cancel")).status_code == 409
        refused, done = await entries(jobs, subject=f"job:{job_id}")
    assert (done["action"], done["outcome"]) == ("jobs.cancel", "done")
    assert done["detail"] == "cancelled at once"
    assert done["actor_kind"] == "token"
    assert done["actor_id"].startswith("token:")
    assert done["address"] == "127.0.0.1"
    assert done["at"].endswith("Z")
    assert refused["outcome"] == "refused"
    assert "is Cancelled and cannot be cancelled" in refused["detail"]


async def test_a_running_job_that_is_asked_to_stop_and_a_retry_are_in_the_audit(
    sqlite_url: str,
) -> None:
    async with jobs_host(sqlite_url) as jobs:
        client = await jobs.host.client(MANAGE)
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(waiting, JobState.RUNNING)
        await client.post(f"/api/jobs/{waiting}/cancel")
        failed = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        await jobs.ends(failed)
        await client.post(f"/api/jobs/{failed}/retry")
        (stopped,) = await entries(jobs, subject=f"job:{waiting}")
        (retried,) = await entries(jobs, action="jobs.retry")
    assert stopped["detail"] == "asked to stop"
    assert (retried["subject"], retried["outcome"]) == (f"job:{failed}", "done")


async def test_schedules_that_are_toggled_and_deleted_are_in_the_audit(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        id_ = await jobs.scheduling.add_recurring(
            ReportingJob, name="nightly", cron_expression="0 3 * * *", data=Work()
        )
        client = await jobs.host.client(MANAGE)
        await client.post(f"/api/jobs/recurring/{id_}/toggle")
        await client.post(f"/api/jobs/recurring/{id_}/toggle")
        await client.post(f"/admin/jobs/recurring/{id_}/run")
        await client.delete(f"/api/jobs/recurring/{id_}")
        await client.delete(f"/api/jobs/recurring/{id_}")
        found = await entries(jobs, subject=f"schedule:{id_}")
    reported = [(entry["action"], entry["outcome"], entry["detail"]) for entry in reversed(found)]
    assert reported[:2] == [
        ("schedules.toggle", "done", "disabled"),
        ("schedules.toggle", "done", "enabled"),
    ]
    assert reported[2][:2] == ("schedules.run_now", "done")
    assert reported[3] == ("schedules.delete", "done", "nightly")
    assert reported[4][:2] == ("schedules.delete", "refused")


async def test_a_job_row_says_who_enqueued_it_and_nothing_for_jobs_and_the_host(
    database_url: str,
) -> None:
    async with jobs_host(database_url) as jobs, jobs.host.scope() as scope:
        by_host = await jobs.scheduling.enqueue(ReportingJob, Work())
        vera = Caller("user", f"user:{new_id()}", "vera")
        with ActingFor(vera):
            by_vera = await jobs.scheduling.enqueue(ReportingJob, Work())
        with ActingFor(Caller("job", f"job:{by_vera}", "tests.ReportingJob")):
            by_job = await jobs.scheduling.enqueue(ReportingJob, Work())
        for job_id in (by_host, by_vera, by_job):
            await jobs.ends(job_id)
        async with (await scope.get(Database)).reading() as session:
            rows = {row.id: row.enqueued_by for row in await session.exec(select(FinishedJob))}
    assert rows == {by_host: None, by_vera: "user:vera", by_job: None}


async def test_a_job_run_again_by_hand_names_who_did_it(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs, jobs.host.scope() as scope:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        client = await jobs.host.client(VIEW, MANAGE)
        answer = await client.post(f"/admin/jobs/{job_id}/run-again", data={"data": "{}"})
        new = answer.headers["location"].partition("?")[0].rpartition("/")[2]
        (entry,) = await entries(jobs, action="jobs.run_again")
        async with (await scope.get(Database)).reading() as session:
            by = {each.id: each.enqueued_by for each in await session.exec(select(Job))}
    assert entry["detail"] == f"as job:{new}"
    assert {str(id_): who for id_, who in by.items()}[new] == (
        f"token:{entry['actor_name']} ({entry['actor_id'].removeprefix('token:')})"
    )


async def test_running_again_what_cannot_be_is_in_the_audit_as_refused(sqlite_url: str) -> None:
    """Bad input, and the id of no job, left no trace."""
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        job_id, unknown = await jobs.scheduling.enqueue(ReportingJob, Work()), new_id()
        client = await jobs.host.client(VIEW, MANAGE)
        for id_, data in ((job_id, "{"), (unknown, "{}")):
            await client.post(f"/admin/jobs/{id_}/run-again", data={"data": data})
        reported = {each["subject"]: each for each in await entries(jobs, action="jobs.run_again")}
    assert {each["outcome"] for each in reported.values()} == {"refused"}
    assert "is not JSON" in reported[f"job:{job_id}"]["detail"]
    assert "There is no job" in reported[f"job:{unknown}"]["detail"]
