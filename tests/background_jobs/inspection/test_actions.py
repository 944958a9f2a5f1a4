"""Who retried, cancelled or moved a job: on its timeline, in the API and on the command line."""

import getpass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from background_jobs.commands import Commands
from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from modhost import new_id
from modhost.caller import ActingFor, Caller
from modhost_background_jobs.bulk.change import Change
from modhost_background_jobs.bulk.changes import BulkRequests
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    JobExecutionContext,
    JobId,
    JobState,
    ModuleJob,
)
from modhost_background_jobs.inspection.job import JobInspection
from modhost_background_jobs.queries.search.job_search import JobSearch

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"
VERA = Caller("user", "user:1", "vera")


async def events(jobs: Jobs, job_id: UUID) -> list[tuple[str, str | None]]:
    """Return the timeline of a job: what happened, by whom."""
    inspected = await (await jobs.service(JobInspection)).inspect(job_id)
    return [(event.name, event.by) for event in inspected.events]


async def actions(jobs: Jobs, job_id: UUID) -> list[dict[str, Any]]:
    client = await jobs.host.client(VIEW)
    answer = await client.get(f"/api/jobs/{job_id}/actions")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_retry_says_who_it_was_by_page_api_and_command_line(
    database_url: str, commands: Commands
) -> None:
    """Its timeline did not say who had retried a job."""
    async with jobs_host(database_url, more_jobs=[]) as jobs:
        failed = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        await jobs.ends(failed)
        with ActingFor(VERA):
            await jobs.querying.retry(failed)
        await jobs.ends(failed)
        await commands.done("retry", str(failed))
        await jobs.ends(failed)
        operator = f"command:{getpass.getuser()}"
        by_api = await actions(jobs, failed)
        assert [(each["action"], each["by"]) for each in by_api] == [
            ("retry", "user:vera"),
            ("retry", operator),
        ]
        assert all(each["at"].endswith("Z") for each in by_api)
        retries = [each for each in await events(jobs, failed) if each[0] == "Retried"]
        assert retries == [("Retried", "user:vera"), ("Retried", operator)]
        client = await jobs.host.client(VIEW)
        page = (await client.get(f"/admin/jobs/{failed}")).text
        assert "by vera" in page
        assert f"by {getpass.getuser()} on the command line" in page
        shown = await commands.json("show", str(failed))
        assert [each["by"] for each in shown["actions"]] == ["user:vera", operator]
        assert "user:vera" in await commands.done("show", str(failed))


async def test_a_cancellation_names_who_asked_for_it_once(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(waiting, JobState.RUNNING)
        with ActingFor(VERA):
            await jobs.scheduling.cancel(waiting)
        await jobs.ends(waiting)
        named = [each for each in await events(jobs, waiting) if each[1] == "user:vera"]
    assert named == [("Asked to stop", "user:vera")]


async def test_jobs_that_are_moved_and_run_now_say_by_whom(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        client = await jobs.host.client(VIEW, MANAGE)
        later = {"execute_at": "2030-01-01T00:00:00Z"}
        await client.post(f"/api/jobs/{job_id}/reschedule", json=later)
        await client.post(f"/api/jobs/{job_id}/run-now")
        await client.post(f"/api/jobs/{job_id}/cancel")
        assert (await client.post(f"/api/jobs/{job_id}/cancel")).status_code == 409
        found = await actions(jobs, job_id)
        names = [name for name, by in await events(jobs, job_id) if by]
        page = (await client.get(f"/admin/jobs/{job_id}")).text
    assert [each["action"] for each in found] == ["reschedule", "run_now", "cancel"]
    assert found[0]["detail"] == "due 2030-01-01 00:00:00 UTC"
    assert all(each["by"].startswith("token:") for each in found)
    assert sorted(names) == ["Cancelled", "Made due now", "Rescheduled"]
    assert "due 2030-01-01 00:00:00 UTC" in page


async def test_jobs_that_were_changed_with_many_say_who_asked_for_that(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs, jobs.host.scope() as scope:
        ids = await jobs.scheduling.enqueue_many(ReportingJob, [Work()] * 3)
        with ActingFor(VERA):
            bulk = await (await scope.get(BulkRequests)).enqueue(Change.CANCEL, JobSearch())
        await jobs.ends(bulk)
        for while_kept in (True, False):
            (found,) = await actions(jobs, ids[0])
            assert (found["by"], found["bulk_job_id"]) == ("user:vera", str(bulk)), while_kept
            if while_kept:
                await jobs.scheduling.delete(bulk)
        assert ("Cancelled", "user:vera") in await events(jobs, ids[1])


async def test_what_was_done_to_a_job_that_is_not_there_is_404(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        client = await jobs.host.client(VIEW)
        assert (await client.get(f"/api/jobs/{new_id()}/actions")).status_code == 404


class CancellingJob(ModuleJob):
    """Cancels another job."""

    def __init__(self, jobs: BackgroundJobs) -> None:
        self._jobs = jobs

    async def execute(self, context: JobExecutionContext) -> None:
        await self._jobs.cancel(JobId(UUID(context.data)))


async def test_a_job_that_changes_another_is_named_and_not_who_enqueued_it(
    database_url: str,
) -> None:
    """It was shown as a change of many, by the person who had enqueued the job."""
    async with jobs_host(database_url, more_jobs=[CancellingJob]) as jobs:
        later = datetime.now(UTC) + timedelta(days=1)
        other = await jobs.scheduling.schedule(ReportingJob, later, Work())
        with ActingFor(VERA):
            canceller = await jobs.scheduling.enqueue(CancellingJob, str(other))
        assert (await jobs.ends(canceller)).error is None
        (found,) = await actions(jobs, other)
    assert (found["by"], found["bulk_job_id"]) == ("job:tests.CancellingJob", None)
