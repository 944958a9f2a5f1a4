"""Large data: refused beyond a bound, and kept out of what lists and claims read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.support import claim_one, new_job
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.client.run_again import Rerunning, UnreadableInput
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobExecutionContext,
    JobFilter,
    JobId,
    JobState,
    ModuleJob,
)
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.large_data import MAX_IN_ROW
from modhost_background_jobs.storage.retention import open_retention
from modhost_background_jobs.storage.tables import FINISHED, JOBS, LARGE_DATA
from moving_clock import START

pytestmark = pytest.mark.anyio

LARGE = {"text": "\N{SNOWMAN}" * 300_000}


class MeasuringJob(ModuleJob):
    """Logs how much data it was given; the first attempt fails."""

    async def execute(self, context: JobExecutionContext) -> None:
        context.log(f"{len(context.get_data(dict[str, str])['text'])} characters")
        if context.attempt == 1:
            raise ValueError("once more")


async def largest_rows(database: Database) -> list[int]:
    """Return how many characters of data the rows of jobs have at most, and those apart."""
    async with database.reading() as session:
        connection = await session.connection()
        counts = [
            (await connection.execute(select(func.max(func.length(each))))).scalar_one() or 0
            for each in (JOBS.c.data, FINISHED.c.data, LARGE_DATA.c.data)
        ]
    return [max(counts[:2]), counts[2]]


async def enqueue_all(jobs: Jobs, data: Any) -> list[JobId]:
    """Enqueue jobs with the same data in every way that there is."""
    scheduling, database = jobs.scheduling, await jobs.service(Database)
    ids = [
        await scheduling.enqueue(MeasuringJob, data),
        await scheduling.schedule(MeasuringJob, datetime.now(UTC), data),
        await scheduling.enqueue(MeasuringJob, data, job_id=JobId(new_id())),
        *await scheduling.enqueue_many(MeasuringJob, [data]),
    ]
    async with database.session() as session:
        ids.append(await scheduling.enqueue(MeasuringJob, data, session=session))
        ids += await scheduling.enqueue_many(MeasuringJob, [data], session=session)
    recurring = await scheduling.add_recurring(
        MeasuringJob, name="large", cron_expression="@yearly", data=data
    )
    return [*ids, await scheduling.run_recurring_now(recurring)]


async def test_jobs_get_large_data_however_they_were_enqueued(database_url: str) -> None:
    async with jobs_host(database_url, more_jobs=[MeasuringJob]) as jobs:
        for job_id in await enqueue_all(jobs, LARGE):
            job = await jobs.ends(job_id)
            assert (job.state, job.data) == (JobState.COMPLETED, LARGE)
            assert [line.message for line in job.logs] == ["300000 characters"] * 2
        database = await jobs.service(Database)
        in_rows, apart = await largest_rows(database)
        again = await (await jobs.service(Rerunning)).run_again(job_id, '{"text": "short"}')
        assert (await jobs.ends(again)).data == {"text": "short"}
    if database_url.startswith("sqlite"):
        assert (in_rows <= MAX_IN_ROW, apart > 300_000) == (True, True)
    else:
        assert apart == 0


async def test_large_data_are_deleted_with_their_job(store: JobStore, database: Database) -> None:
    data = '"' + "x" * 100_000 + '"'
    await store.insert([new_job(data=data)])
    claimed = await claim_one(store)
    assert claimed.data == data
    await store.end([Ended(claimed.lease, JobState.COMPLETED)], START)
    found = await JobDetailReader(database).find(claimed.lease.job_id)
    assert found is not None
    assert found.data == data
    assert (
        await open_retention(database).prune(JobState.COMPLETED, START.replace(year=2027), 10) == 1
    )
    assert await largest_rows(database) == [0, 0]


async def test_more_data_than_the_option_allows_is_refused_with_a_way_out(
    database_url: str,
) -> None:
    """200 million characters were taken, and to list five such jobs took 38 s."""
    async with jobs_host(
        database_url, mode="Producer", more_jobs=[MeasuringJob], max_data_size=1000
    ) as jobs:
        scheduling, most, more = jobs.scheduling, "x" * 998, "x" * 999
        job_id = await scheduling.enqueue(MeasuringJob, most)
        words = "1001 characters as JSON, and max_data_size allows 1000. Store it in a file"
        with pytest.raises(InvalidJobData, match=words):
            await scheduling.enqueue(MeasuringJob, more)
        with pytest.raises(InvalidJobData, match=words):
            await scheduling.enqueue_many(MeasuringJob, [most, more])
        with pytest.raises(InvalidJobData, match=words):
            await scheduling.schedule(MeasuringJob, datetime.now(UTC), more)
        with pytest.raises(InvalidJobData, match=words):
            await scheduling.add_recurring(
                MeasuringJob, name="n", cron_expression="@daily", data=more
            )
        with pytest.raises(UnreadableInput, match=words):
            await (await jobs.service(Rerunning)).run_again(job_id, f'"{more}"')
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 1
        assert await jobs.querying.get_recurring_count() == 0
