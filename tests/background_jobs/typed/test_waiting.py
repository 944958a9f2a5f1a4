"""Callers wait for the end of a job, and are woken, in whatever process it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest
from sqlalchemy import Engine, delete, event

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import (
    PermanentlyFailingJob,
    Probe,
    ReportingJob,
    SnoozingJob,
    WaitingJob,
    Work,
)
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.client.blocking.waiting import JobWaits
from modhost_background_jobs.contracts import InvalidJobData, JobId, JobNotFound, JobState
from modhost_background_jobs.storage.tables import JOBS

pytestmark = pytest.mark.anyio

LONG = timedelta(seconds=30)
LATER = datetime(2999, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def producer_and_consumer(url: str) -> AsyncIterator[tuple[Jobs, Jobs]]:
    """Two hosts that do not poll for ends: whoever waits longer than the tests was not woken."""
    probe = Probe()
    async with (
        jobs_host(url, probe, mode="Producer", poll_interval="60s") as producer,
        jobs_host(url, probe, poll_interval="60s") as consumer,
    ):
        yield producer, consumer


async def waits_for(jobs: Jobs, number: int) -> None:
    """Wait until so many jobs are waited for."""
    waits = await jobs.service(JobWaits)
    await jobs.probe.until(lambda: waits.awaited == number)


async def test_a_producer_is_woken_when_a_job_ends_elsewhere(database_url: str) -> None:
    async with producer_and_consumer(database_url) as (producer, consumer):
        job_id = await producer.scheduling.enqueue(WaitingJob)
        found: dict[str, JobState] = {}

        async def wait(jobs: Jobs, name: str) -> None:
            found[name] = (await jobs.scheduling.wait(job_id, LONG)).state

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                for name, jobs in (("producer", producer), ("again", producer), ("own", consumer)):
                    group.start_soon(wait, jobs, name)
                await waits_for(producer, 1)
                await waits_for(consumer, 1)
                await consumer.probe.until(lambda: consumer.probe.started["waiting"] == 1)
                await anyio.sleep(0.2)
                assert found == {}
                consumer.probe.gate.set()
        assert found == dict.fromkeys(("producer", "again", "own"), JobState.COMPLETED)
        # One that has ended is answered at once, and one after another is woken, too.
        assert (await producer.scheduling.wait(job_id, timedelta(0))).state is JobState.COMPLETED
        with anyio.fail_after(20):
            for _ in range(3):
                job_id = await producer.scheduling.enqueue(ReportingJob, Work())
                status = await producer.scheduling.wait(job_id, LONG)
                assert (status.id, status.progress_percentage) == (job_id, 100)


async def test_the_wait_lasts_until_the_job_has_ended(database_url: str) -> None:
    """A job that is tried again, or snoozed, has not ended."""
    async with producer_and_consumer(database_url) as (producer, _):
        jobs = producer.scheduling
        failing = await jobs.enqueue(ReportingJob, Work(name="failing", failures=2))
        snoozing = await jobs.enqueue(SnoozingJob)
        permanent = await jobs.enqueue(PermanentlyFailingJob)
        later = await jobs.schedule(ReportingJob, LATER, Work())
        running = await jobs.enqueue(WaitingJob)
        found: dict[JobId, Any] = {}

        async def wait(job_id: JobId) -> None:
            found[job_id] = await jobs.wait(job_id, LONG)

        with anyio.fail_after(25):
            async with anyio.create_task_group() as group:
                for each in (failing, snoozing, permanent, later, running):
                    group.start_soon(wait, each)
                await producer.probe.until(lambda: producer.probe.started["waiting"] == 1)
                # The others have ended by now, or by and by.
                await producer.probe.until(lambda: len(found) == 3)
                await jobs.cancel(later)
                await jobs.cancel(running)
    assert (found[failing].state, found[failing].retry_count) == (JobState.COMPLETED, 2)
    assert found[snoozing].state is JobState.COMPLETED
    assert (found[permanent].state, found[permanent].error) == (
        JobState.FAILED,
        "PermanentJobError: no use",
    )
    assert found[later].state is found[running].state is JobState.CANCELLED


async def test_a_wait_that_takes_too_long_leaves_the_job_alone(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        for seconds in (0, 0.05):
            message = f"The job {job_id} has not ended within {seconds:g} s"
            with pytest.raises(TimeoutError, match=message):
                await jobs.scheduling.wait(job_id, timedelta(seconds=seconds))
        status = await jobs.scheduling.get_status(job_id)
        assert status is not None
        assert status.state is JobState.PENDING


async def test_what_cannot_be_waited_for_is_refused(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        with pytest.raises(JobNotFound):
            await jobs.scheduling.wait(JobId(new_id()), LONG)
        wrong: Any
        for wrong in (5, None, -LONG, timedelta(days=40_000)):
            with pytest.raises(InvalidJobData, match="timeout is"):
                await jobs.scheduling.wait(job_id, wrong)


async def test_a_job_that_is_deleted_ends_the_wait(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", poll_interval="50ms") as jobs:
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                with pytest.raises(JobNotFound):
                    await jobs.scheduling.wait(job_id, LONG)

            group.start_soon(wait)
            await waits_for(jobs, 1)
            database = await jobs.service(Database)
            async with database.session() as session:
                await (await session.connection()).execute(delete(JOBS))


async def test_nobody_waits_while_they_keep_all_others_from_writing(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url) as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        database = await jobs.service(Database)
        async with database.session() as session:
            await session.connection()
            with pytest.raises(RuntimeError, match="session"):
                await jobs.scheduling.wait(job_id, LONG)


async def test_hundreds_of_callers_cost_what_one_does(database_url: str) -> None:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "finished_jobs" in statement and "is_awaited" not in statement:
            sent.append(statement)

    async with jobs_host(database_url, mode="Producer", poll_interval="60s") as jobs:
        scheduling = jobs.scheduling
        ids = [
            await scheduling.schedule(ReportingJob, LATER, Work(name=f"{number}"))
            for number in range(10)
        ]
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for number in range(300):
                    group.start_soon(partial(scheduling.wait, ids[number % 10], LONG * 2))
                await waits_for(jobs, 10)
                waits = await jobs.service(JobWaits)
                await jobs.probe.until(lambda: waits.callers == 300, seconds=40)
                event.listen(Engine, "before_cursor_execute", note)
                try:
                    for each in ids:
                        await scheduling.cancel(each)
                    await waits_for(jobs, 0)
                finally:
                    event.remove(Engine, "before_cursor_execute", note)
    reads = [each for each in sent if each.lstrip().startswith("SELECT") and " IN (" in each]
    assert 1 <= len(reads) <= 100
    assert len(sent) < 200
