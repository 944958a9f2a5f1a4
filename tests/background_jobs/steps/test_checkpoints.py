"""Checkpoints: a later attempt continues where an earlier one came to."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import ClassVar

import anyio
import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy import update

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import Probe, ProbedJob
from modhost.database import Database
from modhost_background_jobs.contracts import JobExecutionContext, JobState, Snooze, StepError
from modhost_background_jobs.storage.tables import JOBS
from modhost_background_jobs.worker.shutdown import Shutdown

pytestmark = pytest.mark.anyio


class Cursor(BaseModel):
    row: int
    token: SecretStr = SecretStr("token")


class ImportJob(ProbedJob):
    """Imports ten rows in each attempt, up to thirty."""

    max_attempts: ClassVar[int | None] = 5
    leave: ClassVar[Callable[[], None]]
    begun_at: ClassVar[list[int]] = []

    async def execute(self, context: JobExecutionContext) -> None:
        cursor = context.last_checkpoint(Cursor) or Cursor(row=0)
        self.begun_at.append(cursor.row)
        for row in range(cursor.row, cursor.row + 10):
            context.checkpoint(Cursor(row=row + 1))
        cursor = context.last_checkpoint(Cursor) or cursor
        assert cursor.token.get_secret_value() == "token"
        if cursor.row < 30:
            type(self).leave()


class WaitsAfterIt(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started[str(context.last_checkpoint(Cursor))] += 1
        context.checkpoint(Cursor(row=10))
        await self.probe.gate.wait()


class Unfit(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        for value in (object(), "x" * 1_000_000):
            with pytest.raises(StepError):
                context.checkpoint(value)
        context.checkpoint("ten")
        assert context.last_checkpoint(str) == "ten"
        context.last_checkpoint(Cursor)


class ForgetsIt(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        if context.attempt == 1:
            context.checkpoint(Cursor(row=10))
        elif context.attempt == 2:
            assert context.last_checkpoint(Cursor) is not None
            context.checkpoint(None)
        assert context.last_checkpoint(dict) is None or context.attempt == 1
        if context.attempt < 3:
            raise ValueError


OWN = (ImportJob, WaitsAfterIt, Unfit, ForgetsIt)


@pytest.fixture
async def jobs(database_url: str) -> AsyncIterator[Jobs]:
    """A host that flushes at the end of attempts only."""
    ImportJob.begun_at.clear()
    async with jobs_host(database_url, more_jobs=OWN, progress_flush_interval="1h") as jobs:
        yield jobs


def fail() -> None:
    raise ValueError


def snooze() -> None:
    raise Snooze(timedelta(seconds=0.01))


@pytest.mark.parametrize("leave", [fail, snooze])
async def test_the_last_checkpoint_of_an_attempt_is_that_of_the_next(
    jobs: Jobs, leave: Callable[[], None]
) -> None:
    ImportJob.leave = staticmethod(leave)
    await jobs.reaches(await jobs.scheduling.enqueue(ImportJob), JobState.COMPLETED)
    assert ImportJob.begun_at == [0, 10, 20]


async def test_a_retry_by_hand_keeps_the_checkpoint(jobs: Jobs) -> None:
    ImportJob.leave = staticmethod(fail)
    job_id = await jobs.scheduling.enqueue(ImportJob, max_attempts=1)
    await jobs.reaches(job_id, JobState.FAILED)
    await jobs.querying.retry(job_id)
    await jobs.ends(job_id)
    assert ImportJob.begun_at == [0, 10]


async def test_a_checkpoint_can_be_forgotten(jobs: Jobs) -> None:
    job_id = await jobs.scheduling.enqueue(ForgetsIt, max_attempts=3)
    await jobs.reaches(job_id, JobState.COMPLETED)


async def test_one_that_does_not_fit_fails_the_job_and_says_so(jobs: Jobs) -> None:
    failed = await jobs.reaches(await jobs.scheduling.enqueue(Unfit), JobState.FAILED)
    assert failed.error is not None
    assert failed.error.startswith("JobDataError: The checkpoint of the job does not fit Cursor")


async def test_a_worker_that_shuts_down_leaves_its_checkpoints(database_url: str) -> None:
    probe = Probe()
    async with jobs_host(
        database_url,
        probe,
        more_jobs=OWN,
        shutdown_grace="20ms",
        progress_flush_interval="1h",
    ) as jobs:
        (await jobs.service(Shutdown)).stop_timeout = 0.05
        job_id = await jobs.scheduling.enqueue(WaitsAfterIt)
        await probe.until(lambda: bool(probe.started))
    async with jobs_host(database_url, probe, more_jobs=OWN) as jobs:
        probe.gate.set()
        await jobs.reaches(job_id, JobState.COMPLETED)
    assert [key.partition(" ")[0] for key in probe.started] == ["None", "row=10"]


async def test_of_an_attempt_that_lost_its_lease_none_is_stored(jobs: Jobs) -> None:
    job_id = await jobs.scheduling.enqueue(WaitsAfterIt)
    await jobs.probe.until(lambda: bool(jobs.probe.started))
    database = await jobs.service(Database)
    async with database.session() as session:
        taken = update(JOBS).values(fence=JOBS.c.fence + 1, worker="somebody else")
        await (await session.connection()).execute(taken)
    jobs.probe.gate.set()
    processor = await jobs.processor()
    with anyio.fail_after(20):
        while any(each.lease.job_id == job_id for each in processor.attempts):
            await anyio.sleep(0.01)
    async with database.reading() as session:
        rows = await (await session.connection()).execute(JOBS.select())
        assert [row.checkpoint for row in rows] == [None]
