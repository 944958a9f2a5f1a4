"""A finished job is deleted with all that is kept of it, unless something needs it."""

import pytest
from sqlalchemy import func, select

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from background_jobs.workflows.nodes import NotingJob, Task, add, workflows_host
from modhost.database import Database
from modhost_background_jobs.contracts import JobConflict, JobFilter, JobState
from modhost_background_jobs.storage.tables import ATTEMPTS, FINISHED, JOB_TAGS, LOGS

pytestmark = pytest.mark.anyio

VIEW, MANAGE, AUDIT = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs", "Host.ViewAudit"


async def test_a_finished_job_is_deleted_with_its_log_attempts_and_tags(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        work = Work(failures=1, lines=3)
        job_id = await jobs.scheduling.enqueue(ReportingJob, work, tags=["night"])
        kept = await jobs.scheduling.enqueue(ReportingJob, Work(name="kept", lines=1))
        for each in (job_id, kept):
            await jobs.ends(each)
        client = await jobs.host.client(VIEW, MANAGE, AUDIT)
        assert (await client.delete(f"/api/jobs/{job_id}")).status_code == 204
        assert (await client.delete(f"/api/jobs/{job_id}")).status_code == 404
        assert (await client.get(f"/api/jobs/{job_id}")).status_code == 404
        assert await jobs.scheduling.get_status(job_id) is None
        left = await jobs.querying.get_jobs(JobFilter())
        assert [each.id for each in left.items] == [kept]
        async with (await jobs.service(Database)).reading() as session:
            connection = await session.connection()
            for table, column in (
                (LOGS, "job_id"),
                (ATTEMPTS, "job_id"),
                (JOB_TAGS, "job_id"),
                (FINISHED, "id"),
            ):
                of_job = select(func.count()).where(table.c[column] == job_id)
                assert (await connection.execute(of_job)).scalar_one() == 0
        audit = (await client.get("/api/audit", params={"subject": f"job:{job_id}"})).json()
    done = audit["items"][-1]
    assert (done["action"], done["outcome"]) == ("jobs.delete", "done")
    assert done["detail"] == "Completed, of the type tests.ReportingJob"


async def test_a_job_that_has_not_finished_is_not_deleted(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(job_id, JobState.RUNNING)
        answer = await (await jobs.host.client(MANAGE)).delete(f"/api/jobs/{job_id}")
        assert answer.status_code == 409
        assert answer.json()["detail"].endswith("cannot be deleted; only a finished job can.")
        jobs.probe.gate.set()
        await jobs.ends(job_id)


async def test_a_job_of_an_open_workflow_stays(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Open") as workflow:
            done = add(workflow, "done")
            add(workflow, "gate", waits=True)
        await jobs.reaches(done.job_id, JobState.COMPLETED)
        with pytest.raises(JobConflict, match=f"while its workflow {workflow.id} is unfinished"):
            await jobs.scheduling.delete(done.job_id)
        jobs.probe.gate.set()
        await jobs.over(workflow.id)
        await jobs.scheduling.delete(done.job_id)
        assert await jobs.scheduling.get_status(done.job_id) is None


async def test_a_job_that_another_one_runs_after_stays(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        done = await jobs.scheduling.enqueue(NotingJob, Task(name="done"))
        gate = await jobs.scheduling.enqueue(NotingJob, Task(name="gate", waits=True))
        after = await jobs.scheduling.enqueue(NotingJob, Task(name="after"), after=[done, gate])
        await jobs.ends(done)
        with pytest.raises(JobConflict, match=f"while the job {after} after it is unfinished"):
            await jobs.scheduling.delete(done)
        jobs.probe.gate.set()
        await jobs.ends(after)
        await jobs.scheduling.delete(done)


async def test_a_failed_job_that_is_retried_meanwhile_is_not_deleted(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as producer:
        job_id = await producer.scheduling.enqueue(PermanentlyFailingJob)
    async with jobs_host(sqlite_url) as jobs:
        await jobs.ends(job_id)
    async with jobs_host(sqlite_url, mode="Producer") as producer:
        await producer.querying.retry(job_id)
        with pytest.raises(JobConflict, match="is Pending and cannot be deleted"):
            await producer.scheduling.delete(job_id)
