"""A worker that is idle is woken by what a transaction has enqueued; it would look much later."""

from collections.abc import Awaitable, Callable

import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobId, JobState

pytestmark = pytest.mark.anyio


async def in_a_transaction(jobs: Jobs) -> JobId:
    database = await jobs.service(Database)
    async with database.session() as session:
        return await jobs.scheduling.enqueue(ReportingJob, Work(), session=session)


async def under_its_id(jobs: Jobs) -> JobId:
    return await jobs.scheduling.enqueue(ReportingJob, Work(), job_id=JobId(new_id()))


async def as_a_workflow(jobs: Jobs) -> JobId:
    async with jobs.scheduling.workflow("Two") as workflow:
        first = workflow.add(ReportingJob, Work())
        last = workflow.add(ReportingJob, Work(), after=first)
    return last.job_id


@pytest.mark.parametrize("enqueue", [in_a_transaction, under_its_id, as_a_workflow])
async def test_a_transaction_wakes_an_idle_worker(
    database_url: str, enqueue: Callable[[Jobs], Awaitable[JobId]]
) -> None:
    async with jobs_host(database_url, poll_interval="60s") as jobs:
        await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()))
        job_id = await enqueue(jobs)
        assert (await jobs.ends(job_id, 20)).state is JobState.COMPLETED
