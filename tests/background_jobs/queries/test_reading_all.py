"""Reading all jobs, each once, and counting them, while others arrive and end."""

import anyio
import pytest
from pydantic import ValidationError

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob
from background_jobs.support import claim, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobFilter, JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

JOBS = 300


async def test_a_job_counts_once_while_it_ends(store: JobStore, database: Database) -> None:
    """On PostgreSQL 57 of 545 counts had one twice."""
    await store.insert([new_job() for _ in range(JOBS)])
    claimed = await claim(store, limit=JOBS)
    counts = set()
    async with anyio.create_task_group() as group:

        async def end() -> None:
            for each in claimed:
                await store.end([Ended(each.lease, JobState.COMPLETED)], START)
            group.cancel_scope.cancel()

        group.start_soon(end)
        listing = JobListing(database)
        while True:
            for job_type in (None, "tests.Job"):
                counts.add((await listing.page(Selection(job_type=job_type), 0, 1)).total)
    assert counts == {JOBS}


async def test_to_follow_next_reads_each_job_once_while_others_arrive(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        ids = [str(each) for each in await jobs.scheduling.enqueue_many(WaitingJob, [None] * 7)]
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        seen: list[str] = []
        query = {"page_size": "2", "job_type": "tests.WaitingJob"}
        while True:
            answer = (await client.get("/api/jobs", params=query)).json()
            seen += [item["id"] for item in answer["items"]]
            assert (answer["page"], answer["page_size"]) == (1, 2)
            await jobs.scheduling.enqueue_many(WaitingJob, [None] * 3)
            await jobs.scheduling.enqueue(ReportingJob)
            if answer["next"] is None:
                break
            query["after"] = answer["next"]
        assert seen == ids[::-1]
        pages = [
            (await client.get("/api/jobs", params={"page": page, "page_size": "20"})).json()
            for page in ("1", "2")
        ]
        assert pages[0]["next"] == pages[0]["items"][-1]["id"]
        assert pages[1]["next"] is None
        rest = await client.get("/api/jobs", params={"after": pages[0]["next"], "page_size": "200"})
        assert rest.json()["items"] == pages[1]["items"]
        assert rest.json()["total_count"] == pages[0]["total_count"]


@pytest.mark.parametrize(
    ("query", "words"),
    [("after=x", "after"), (f"after={START:%Y}", "after"), ("page=2&after=%s", "not both")],
)
async def test_a_place_that_is_none_is_refused(sqlite_url: str, query: str, words: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        answer = await client.get(f"/api/jobs?{query.replace('%s', str(job_id))}")
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize("job_type", ["a\x00b", "\ud800"])
async def test_a_type_that_no_database_stores_is_refused_on_both(job_type: str) -> None:
    """SQLite found nothing, and PostgreSQL failed with an error of its driver."""
    with pytest.raises(ValidationError):
        JobFilter(job_type=job_type)


async def test_a_type_of_any_length_finds_nothing(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        for job_type in ("", " ", "x" * 100_000):
            assert (await jobs.querying.get_jobs(JobFilter(job_type=job_type))).total_count == 0
