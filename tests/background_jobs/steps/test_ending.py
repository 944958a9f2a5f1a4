"""`finish_in`: a job ends together with what its transaction writes, or goes its ordinary way."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select, text

from background_jobs.hosts import QUICK
from background_jobs.steps.ending_jobs import (
    LEDGER,
    EndingModule,
    EndsInProcess,
    EndsItself,
    Follows,
    Remembers,
    RemembersInThread,
)
from background_jobs.steps.ending_jobs import Ending as Way
from hosts import HostedJobs, host_with
from modhost.database import Database
from modhost_background_jobs.contracts import JobDetail, JobState, ModuleJob
from modhost_background_jobs.storage.tables import STATISTICS
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from sweeps import first_on_both

pytestmark = pytest.mark.anyio


@pytest.fixture
async def jobs(database_url: str) -> AsyncIterator[HostedJobs]:
    options = {**QUICK, "worker_mode": "Consumer", "shutdown_grace": "100ms"}
    async with host_with(database_url, EndingModule(), background_jobs=options) as jobs:
        database = await jobs.service(Database)
        async with database.session() as session:
            connection = await session.connection()
            await connection.execute(text(f"CREATE TABLE {LEDGER} (way varchar)"))
        yield jobs


async def written(jobs: HostedJobs) -> list[str]:
    database = await jobs.service(Database)
    async with database.reading() as session:
        rows = await (await session.connection()).execute(text(f"SELECT way FROM {LEDGER}"))
        return list(rows.scalars())


async def until_logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    with anyio.fail_after(20):
        while words not in caplog.text:
            await anyio.sleep(0.02)


async def run(jobs: HostedJobs, job: type[ModuleJob], way: str, seconds: float = 0) -> JobDetail:
    job_id = await jobs.scheduling.enqueue(job, Way(way=way, seconds=seconds))
    await jobs.ends(job_id)
    # Its attempt may still be under way, and have more to say.
    last = "within" if way == "rollback" else "after"
    return await jobs.until(job_id, lambda job: last in [line.message for line in job.logs])


@first_on_both("job", [EndsItself, EndsInProcess])
async def test_all_that_the_job_reports_is_stored_and_its_return_is_not(
    jobs: HostedJobs, job: type[ModuleJob], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "modhost_background_jobs"):
        # Long enough for the worker to see that it no longer has the lease.
        ended = await run(jobs, job, "commit", seconds=1.3)
        ended = await jobs.until(ended.id, lambda job: job.progress_message == "afterwards")
    assert (ended.state, ended.result) == (JobState.COMPLETED, "done in the transaction")
    assert [line.message for line in ended.logs] == ["before", "within", "after"]
    assert (ended.progress_percentage, ended.progress_message) == (50, "afterwards")
    assert await written(jobs) == ["commit"]
    assert "lost lease" not in caplog.text
    with anyio.fail_after(20):
        while await counted(jobs) != 1:
            await anyio.sleep(0.02)


async def counted(jobs: HostedJobs) -> int:
    """Return how many completed jobs are counted, once all that is known is written."""
    await (await jobs.service(StatisticsService)).step()
    database = await jobs.service(Database)
    async with database.reading() as session:
        completed = select(func.coalesce(func.sum(STATISTICS.c.completed), 0))
        return int((await (await session.connection()).execute(completed)).scalar_one())


@first_on_both("job", [EndsItself, EndsInProcess])
async def test_after_a_rollback_nothing_has_happened(
    jobs: HostedJobs, job: type[ModuleJob]
) -> None:
    ended = await run(jobs, job, "rollback")
    assert (ended.state, ended.result) == (JobState.FAILED, None)
    assert ended.error is not None
    assert "no commit" in ended.error
    assert [line.message for line in ended.logs] == ["before", "within"]
    assert await written(jobs) == []


async def test_after_the_rollback_of_a_savepoint_the_attempt_ends_as_usual(
    jobs: HostedJobs,
) -> None:
    ended = await run(jobs, EndsItself, "savepoint")
    assert (ended.state, ended.result) == (JobState.COMPLETED, "returned by execute")
    assert await written(jobs) == ["savepoint"]


@pytest.mark.parametrize(
    ("way", "says"),
    [("raise afterwards", "too late"), ("twice", "The job has finished already")],
)
async def test_an_error_after_the_commit_changes_nothing_and_is_logged(
    jobs: HostedJobs, way: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended = await run(jobs, EndsItself, way)
    assert (ended.state, ended.error) == (JobState.COMPLETED, None)
    await until_logged(caplog, says)
    assert "lost lease" not in caplog.text


async def test_a_job_that_waits_for_it_runs_after_the_commit(jobs: HostedJobs) -> None:
    job_id = await jobs.scheduling.enqueue(EndsItself, Way(), queue="default")
    follower = await jobs.scheduling.enqueue(Follows, after=job_id)
    followed = await jobs.reaches(follower, JobState.COMPLETED)
    assert [line.message for line in followed.logs] == ["followed"]


async def test_who_waits_for_the_job_is_woken_by_the_commit(jobs: HostedJobs) -> None:
    job_id = await jobs.scheduling.enqueue(EndsItself, Way(seconds=30))
    status = await jobs.scheduling.wait(job_id, timeout=timedelta(seconds=20))
    assert status.state is JobState.COMPLETED


async def test_an_attempt_that_lost_its_lease_writes_nothing(
    jobs: HostedJobs, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await jobs.scheduling.enqueue(EndsItself, Way(way="lost"))
    await until_logged(caplog, "lost lease")
    assert (await jobs.detail(job_id)).state is JobState.RUNNING
    assert await written(jobs) == []


@first_on_both("job", [Remembers, RemembersInThread])
async def test_a_job_in_a_process_remembers_its_steps_and_its_checkpoint(
    jobs: HostedJobs, job: type[ModuleJob]
) -> None:
    job_id = await jobs.scheduling.enqueue(job, Way())
    ended = await jobs.reaches(job_id, JobState.COMPLETED)
    assert ended.result == [1, 1]
    assert await written(jobs) == ["step"]
