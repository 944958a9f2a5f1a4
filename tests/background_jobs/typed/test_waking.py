"""Whatever ends a job wakes those who wait for it, and a locked job keeps no other waiting."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from sqlalchemy import select

from background_jobs.hosts import Jobs
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from background_jobs.typed.test_waiting import producer_and_consumer, waits_for
from modhost.database import Database
from modhost_background_jobs.contracts import JobId, JobState
from modhost_background_jobs.storage.tables import JOBS

pytestmark = pytest.mark.anyio

LONG = timedelta(seconds=30)
LATER = datetime(2999, 1, 1, tzinfo=UTC)


async def cancel(jobs: Jobs, job_id: JobId) -> None:
    await jobs.scheduling.cancel(job_id)


async def cancel_many(jobs: Jobs, job_id: JobId) -> None:
    client = await jobs.host.client("BackgroundJobs.*")
    form = {"change": "cancel", "id": str(job_id)}
    answer = await client.post("/admin/jobs/many/apply", data=form)
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("end", [cancel, cancel_many])
async def test_a_job_that_never_ran_wakes_its_callers(
    database_url: str, end: Callable[[Jobs, JobId], Awaitable[None]]
) -> None:
    async with producer_and_consumer(database_url) as (producer, consumer):
        job_id = await producer.scheduling.schedule(ReportingJob, LATER, Work())
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:

                async def wait() -> None:
                    status = await producer.scheduling.wait(job_id, LONG)
                    assert status.state is JobState.CANCELLED

                group.start_soon(wait)
                await waits_for(producer, 1)
                await anyio.sleep(0.2)
                await end(consumer, job_id)


async def test_a_job_that_somebody_has_locked_keeps_no_other_waiting(postgres_url: str) -> None:
    async with producer_and_consumer(postgres_url) as (producer, consumer):
        locked = await producer.scheduling.enqueue(WaitingJob)
        await consumer.probe.until(lambda: consumer.probe.started["waiting"] == 1)
        found: dict[JobId, JobState] = {}

        async def wait(job_id: JobId) -> None:
            found[job_id] = (await producer.scheduling.wait(job_id, LONG)).state

        database = await producer.service(Database)
        with anyio.fail_after(25):
            async with anyio.create_task_group() as group:
                async with database.session() as session:
                    row = select(JOBS.c.id).where(JOBS.c.id == locked).with_for_update()
                    await (await session.connection()).execute(row)
                    group.start_soon(wait, locked)
                    await waits_for(producer, 1)
                    other = await producer.scheduling.enqueue(ReportingJob, Work())
                    await wait(other)
                    assert found == {other: JobState.COMPLETED}
                consumer.probe.gate.set()
        assert found[locked] is JobState.COMPLETED
