"""What callers may ask of a job, on both databases alike."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import anyio
import pytest
from pydantic import BaseModel, SecretStr

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.support import new_job
from modhost_background_jobs.contracts import (
    InvalidFlow,
    InvalidJobData,
    JobConflict,
    JobFilter,
    JobId,
    JobState,
)
from modhost_background_jobs.storage import JobStore

pytestmark = pytest.mark.anyio


class Key(BaseModel):
    value: SecretStr


UNREASONABLE: list[dict[str, Any]] = [
    {"max_attempts": 0},
    {"max_attempts": -5},
    {"max_attempts": 2**40},
    {"timeout": timedelta(0)},
    {"timeout": timedelta(seconds=-1)},
    {"timeout": timedelta.max},
]

STRANGE_TIMES = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=12))),
    datetime(9999, 12, 31, tzinfo=UTC),
    datetime(2026, 1, 1),  # noqa: DTZ001 - a time without a zone is what is refused
]


async def test_what_nobody_can_mean_is_refused_and_neighbours_are_stored(database_url: str) -> None:
    """A joined write that one bad job fails used to fail those of strangers with it."""
    async with jobs_host(database_url, mode="Producer") as jobs:
        refused: list[Exception] = []
        stored: list[JobId] = []

        async def enqueue(data: Any, options: dict[str, Any]) -> None:
            try:
                stored.append(await jobs.scheduling.enqueue(ReportingJob, data, **options))
            except InvalidJobData as error:
                refused.append(error)

        async with anyio.create_task_group() as group:
            for options in UNREASONABLE:
                group.start_soon(enqueue, Work(), {})
                group.start_soon(enqueue, Work(), options)
            group.start_soon(enqueue, Key(value=SecretStr("\ud800")), {})
        assert len(refused) == len(UNREASONABLE) + 1
        assert len(stored) == len(UNREASONABLE)
        for job_id in stored:
            assert await jobs.scheduling.get_status(job_id) is not None


async def test_a_time_that_no_database_can_keep_is_refused(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        for moment in STRANGE_TIMES:
            with pytest.raises(InvalidJobData, match="execute_at"):
                await jobs.scheduling.schedule(ReportingJob, moment, Work())


async def test_many_jobs_and_schedules_take_attempts_and_a_timeout(database_url: str) -> None:
    options: Any = {"max_attempts": 7, "timeout": timedelta(seconds=9)}
    async with jobs_host(database_url, mode="Producer") as jobs:
        await jobs.scheduling.enqueue_many(ReportingJob, [Work(), Work()], **options)
        with pytest.raises(InvalidJobData, match="max_attempts is 0"):
            await jobs.scheduling.enqueue_many(ReportingJob, [Work()], max_attempts=0)
        recurring = await jobs.scheduling.add_recurring(
            ReportingJob,
            name="often",
            cron_expression="@daily",
            data=Work(),
            **options,
        )
        run = await jobs.scheduling.run_recurring_now(recurring)
        await jobs.scheduling.cancel(run)
        with pytest.raises(JobConflict):
            await jobs.scheduling.cancel(run)
        with pytest.raises(InvalidJobData, match="timeout"):
            await jobs.scheduling.add_recurring(
                ReportingJob, name="odd", cron_expression="@daily", timeout=timedelta(0)
            )


class Point(NamedTuple):
    x: int
    y: int


@dataclass(frozen=True)
class Place:
    name: str


@pytest.mark.parametrize(
    "one", [Work(), "abc", b"abc", {"path": "a", "size": 1}, Point(1, 2), Place("a"), 5, None]
)
async def test_the_data_of_one_job_are_not_those_of_many(database_url: str, one: Any) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        for then in (None, (ReportingJob, Work())):
            with pytest.raises(InvalidJobData, match="give a list of data, or use enqueue"):
                await jobs.scheduling.enqueue_many(ReportingJob, one, then=then)
        with pytest.raises(InvalidFlow, match="tags are 'abc'"):
            await jobs.scheduling.enqueue(ReportingJob, Work(), tags="abc")
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 0
        several: Any = (Work() for _ in range(2))
        assert len(await jobs.scheduling.enqueue_many(ReportingJob, several)) == 2


async def test_a_time_before_all_others_holds_up_no_job(database_url: str) -> None:
    """PostgreSQL keeps it as minus infinity, whose answer once ended the storing of all ends."""
    first, other = (new_job(job_type="tests.ReportingJob", data="{}") for _ in range(2))
    first = replace(first, execute_at=datetime.min.replace(tzinfo=UTC))
    async with jobs_host(database_url) as jobs:
        async with jobs.host.scope() as scope:
            store = await scope.get(JobStore)
        await store.insert([first, other])
        ended = [await jobs.ends(job.id) for job in (first, other)]
        page = await jobs.querying.get_jobs(JobFilter())
    assert [job.state for job in ended] == [JobState.COMPLETED] * 2
    assert ended[0].execute_at == first.execute_at
    assert page.total_count == 2
