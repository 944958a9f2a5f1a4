"""A bulk change meets a job that a hung client has locked."""

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.hung_client import rows_locked
from background_jobs.jobs_module import ReportingJob, Work
from modhost_background_jobs.bulk.change import Change
from modhost_background_jobs.bulk.changes import BulkRequests
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.search.job_search import JobSearch

pytestmark = pytest.mark.anyio


async def test_it_changes_the_others_and_comes_back(postgres_url: str) -> None:
    async with jobs_host(postgres_url, mode="Producer") as jobs:
        ids = await jobs.scheduling.enqueue_many(ReportingJob, [Work()] * 3)
        async with rows_locked(postgres_url, "jobs", f"id = '{ids[1]}'"):
            requests = await jobs.service(BulkRequests)
            search = JobSearch(state=(JobState.PENDING,), job_type="tests.ReportingJob")
            change = await requests.enqueue(Change.CANCEL, search)
            for id_ in (ids[0], ids[2]):
                await jobs.reaches(id_, JobState.CANCELLED, seconds=20)
            await jobs.until(change, lambda job: (job.progress_message or "").endswith(" 2 done"))
            assert (await jobs.detail(ids[1])).state is JobState.PENDING
        await jobs.reaches(ids[1], JobState.CANCELLED)
        job = await jobs.ends(change)
        assert job.state is JobState.COMPLETED
        assert job.progress_message == "3 jobs done"
