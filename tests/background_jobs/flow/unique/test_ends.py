"""What becomes of unique keys and tags: after failures, with recurring jobs, and in the end."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import anyio
import pytest
from pydantic import BaseModel
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import Probe, ProbedJob
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.client.run_again import Rerunning
from modhost_background_jobs.contracts import (
    Concurrency,
    JobConflict,
    JobExecutionContext,
    JobId,
    JobState,
    PermanentJobError,
    Unique,
)
from modhost_background_jobs.maintenance.retention import RetentionService
from modhost_background_jobs.queue.changing.requeuing import holder_of_key
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.storage.tables import (
    FINISHED,
    JOB_TAGS,
    JOBS,
    SCHEDULES,
    UNIQUE_PERIODS,
)

pytestmark = pytest.mark.anyio


class Feed(BaseModel):
    feed_id: int = 1
    note: str = ""


class FeedJob(ProbedJob):
    """A job that fails when its note says so, and else waits for the gate."""

    data_model: ClassVar[Any] = Feed
    tags: ClassVar[tuple[str, ...]] = ("feeds",)

    async def execute(self, context: JobExecutionContext) -> None:
        if context.get_data(Feed).note == "fails":
            raise PermanentJobError
        await self.probe.gate.wait()


class KeptJob(FeedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id")
    concurrency: ClassVar[Any] = Concurrency(2, per="note")


class StartedJob(FeedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id", until="started")


class HourlyJob(FeedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id", until=timedelta(hours=1))


def host(
    database_url: str, probe: Probe | None = None, mode: str = "Consumer", **options: Any
) -> AbstractAsyncContextManager[Jobs]:
    more = (KeptJob, StartedJob, HourlyJob)
    return jobs_host(database_url, probe, mode=mode, more_jobs=more, **options)


async def read(jobs: Jobs, *columns: Any) -> Sequence[Any]:
    database = await jobs.service(Database)
    async with database.reading() as session:
        return (await (await session.connection()).execute(select(*columns))).all()


@pytest.mark.parametrize("job", [KeptJob, StartedJob])
async def test_a_retry_gives_way_to_a_job_that_has_the_key(
    database_url: str, job: type[FeedJob]
) -> None:
    probe = Probe()
    async with host(database_url, probe, queues=["default"]) as jobs:
        failed = await jobs.scheduling.enqueue(job, Feed(note="fails"))
        assert (await jobs.ends(failed)).state is JobState.FAILED
        other = await jobs.scheduling.enqueue(job, Feed(), queue="nobody")
        assert other != failed
        with pytest.raises(JobConflict, match=f"{failed} is Failed .*{other} has its unique key"):
            await jobs.querying.retry(failed)
        assert (await jobs.detail(failed)).state is JobState.FAILED
        assert len((await jobs.detail(failed)).attempts) == 1
        await jobs.scheduling.cancel(other)
        await jobs.querying.retry(failed)
        assert (await jobs.ends(failed)).state is JobState.FAILED
        assert len((await jobs.detail(failed)).attempts) == 2


async def test_a_retry_finds_that_the_job_with_the_key_has_just_ended(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "modhost_background_jobs.queue.job_queue.holder_of_key"
    async with host(postgres_url, queues=["default"]) as jobs:
        failed = await jobs.scheduling.enqueue(KeptJob, Feed(note="fails"))
        await jobs.ends(failed)
        other = await jobs.scheduling.enqueue(KeptJob, Feed(), queue="nobody")

        async def holder_that_ends(connection: AsyncConnection, job_id: UUID) -> UUID | None:
            monkeypatch.setattr(where, holder_of_key)
            await jobs.scheduling.cancel(other)
            return await holder_of_key(connection, job_id)

        monkeypatch.setattr(where, holder_that_ends)
        await jobs.querying.retry(failed)
        await jobs.ends(failed)
        assert len((await jobs.detail(failed)).attempts) == 2


async def test_retries_that_race_for_a_key_leave_one(database_url: str) -> None:
    async with host(database_url) as jobs, host(database_url, mode="Producer") as beside:
        failed = []
        for _ in range(6):
            failed.append(await jobs.scheduling.enqueue(KeptJob, Feed(note="fails")))
            assert (await jobs.ends(failed[-1])).state is JobState.FAILED
        jobs.probe.started.clear()
        database = await jobs.service(Database)
        async with database.session() as session:
            # Those that come back wait forever.
            await (await session.connection()).execute(update(FINISHED).values(job_type="no.Type"))
        refused: list[JobConflict] = []

        async def retry(host: Jobs, job_id: JobId) -> None:
            try:
                await host.querying.retry(job_id)
            except JobConflict as error:
                refused.append(error)

        async with anyio.create_task_group() as group:
            for at, job_id in enumerate(failed):
                group.start_soon(retry, (jobs, beside)[at % 2], job_id)
        assert len(refused) == 5
        ((live,),) = await read(jobs, JOBS.c.id)
        assert all(str(live) in str(error) for error in refused)


async def test_a_run_whose_key_is_taken_is_skipped_and_says_for_which_job(
    database_url: str,
) -> None:
    async with host(database_url, mode="Producer") as jobs:
        schedule = await jobs.scheduling.add_recurring(
            KeptJob,
            name="hourly",
            cron_expression="@hourly",
            data=Feed(),
            queue="slow",
            priority=3,
            tags=["nightly"],
        )
        other = await jobs.scheduling.enqueue(KeptJob, Feed())
        assert await jobs.scheduling.run_recurring_now(schedule) == other
        await fire(jobs, schedule)
        ((id_, state, error),) = await read(jobs, FINISHED.c.id, FINISHED.c.state, FINISHED.c.error)
        assert (state, error) == ("Skipped", f"skipped: the job {other} has its unique key.")
        await jobs.scheduling.cancel(other)
        await fire(jobs, schedule)
        ((run, queue, priority, tags),) = await read(
            jobs, JOBS.c.recurring_job_id, JOBS.c.queue, JOBS.c.priority, JOBS.c.tags
        )
        assert (run, queue, priority, tags) == (schedule, "slow", 3, '["nightly"]')
        assert id_ in [row[0] for row in await read(jobs, JOB_TAGS.c.job_id)]


async def fire(jobs: Jobs, schedule: UUID) -> None:
    """Let a schedule be due now."""
    database = await jobs.service(Database)
    async with database.session() as session:
        due = SystemClock().now() - timedelta(seconds=1)
        await (await session.connection()).execute(update(SCHEDULES).values(next_run_at=due))
    assert await (await jobs.service(RecurringFiring)).fire(schedule) == 1


async def test_run_again_computes_the_keys_anew(database_url: str) -> None:
    async with host(database_url, queues=["default"]) as jobs:
        failed = await jobs.scheduling.enqueue(
            KeptJob, Feed(note="fails"), priority=9, tags=["mine"]
        )
        await jobs.ends(failed)
        rerunning = await jobs.service(Rerunning)
        held = await jobs.scheduling.enqueue(KeptJob, Feed(feed_id=7), queue="nobody")
        assert await rerunning.run_again(failed, '{"feed_id": 7}') == held
        again = await rerunning.run_again(failed, '{"feed_id": 8, "note": "x"}')
        columns = (JOBS.c.id, JOBS.c.priority, JOBS.c.tags, JOBS.c.limits)
        rows = {row[0]: row[1:] for row in await read(jobs, *columns)}
        assert rows[again] == (9, '["mine"]', '[["tests.KeptJob.concurrency.note", "x"]]')
        assert await jobs.scheduling.enqueue(KeptJob, Feed(feed_id=8)) == again


async def test_many_jobs_of_one_key_are_held_back_at_once_and_all_run(database_url: str) -> None:
    probe = Probe()
    probe.gate.set()
    async with host(database_url, mode="Producer") as producer:
        items = [Feed(feed_id=number, note="one") for number in range(20)]
        ids = await producer.scheduling.enqueue_many(KeptJob, [*items, Feed(feed_id=99)])
        held = await read(producer, JOBS.c.id, JOBS.c.held_by)
        assert {id_ for id_, held_by in held if held_by is None} == {*ids[:2], ids[-1]}
        async with host(database_url, probe) as jobs:
            for id_ in ids:
                assert (await jobs.ends(id_)).state is JobState.COMPLETED


async def test_tags_go_with_their_jobs_and_periods_when_they_have_ended(database_url: str) -> None:
    probe = Probe()
    probe.gate.set()
    async with host(database_url, probe) as jobs:
        old = await jobs.scheduling.enqueue(HourlyJob, Feed(feed_id=1))
        recent = await jobs.scheduling.enqueue(HourlyJob, Feed(feed_id=2))
        for job_id in (old, recent):
            await jobs.ends(job_id)
        long_ago = SystemClock().now() - timedelta(days=100)
        await move_to(jobs, old, long_ago)
        assert len(await read(jobs, JOB_TAGS.c.job_id)) == 2
        await (await jobs.service(RetentionService)).prune()
        assert await read(jobs, FINISHED.c.id) == [(recent,)]
        assert await read(jobs, JOB_TAGS.c.job_id) == [(recent,)]
        assert await read(jobs, UNIQUE_PERIODS.c.job_id) == [(recent,)]
        # The key of a period that has ended is free, deleted or not.
        await move_to(jobs, recent, long_ago)
        assert await jobs.scheduling.enqueue(HourlyJob, Feed(feed_id=2)) != recent
        assert await read(jobs, func.count(UNIQUE_PERIODS.c.job_id)) == [(1,)]


async def move_to(jobs: Jobs, job_id: UUID, moment: datetime) -> None:
    """Let a finished job have finished, and its period have ended, at a time."""
    database = await jobs.service(Database)
    async with database.session() as session:
        connection = await session.connection()
        await connection.execute(
            update(FINISHED).where(FINISHED.c.id == job_id).values(completed_at=moment)
        )
        await connection.execute(
            update(UNIQUE_PERIODS).where(UNIQUE_PERIODS.c.job_id == job_id).values(ends_at=moment)
        )
