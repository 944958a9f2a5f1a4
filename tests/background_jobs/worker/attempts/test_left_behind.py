"""A scope that an attempt leaves open, or a value in its context, reaches no other attempt."""

from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from modhost.clock import SystemClock
from modhost_background_jobs.contracts import JobExecutionContext, JobId, JobState, ModuleJob

pytestmark = pytest.mark.anyio

SECONDS = 0.3
AFTER = 12


class Incomparable:
    """Compares itself as arrays of numbers do, which have no truth of their own."""

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]


VALUE: ContextVar[Incomparable] = ContextVar("value")


@pytest.fixture
def with_a_value() -> Iterator[None]:
    token = VALUE.set(Incomparable())
    yield
    VALUE.reset(token)


class QuickJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        pass


class OpenScopeJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        anyio.move_on_after(SECONDS).__enter__()


class OtherValueJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        VALUE.set(Incomparable())


class LongJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        await anyio.sleep(2 * SECONDS)


KINDS = (QuickJob, OpenScopeJob, OtherValueJob, LongJob)


async def enqueued(producer: Jobs, job: type[ModuleJob], count: int, due: int) -> list[JobId]:
    at = SystemClock().now() - timedelta(hours=1) + timedelta(minutes=due)
    schedule = producer.scheduling.schedule
    return [await schedule(job, at, max_attempts=1) for _ in range(count)]


@pytest.mark.parametrize(
    ("job", "state"), [(OpenScopeJob, JobState.FAILED), (OtherValueJob, JobState.COMPLETED)]
)
async def test_the_next_job_of_the_same_task_is_undisturbed(
    sqlite_url: str, job: type[ModuleJob], state: JobState, with_a_value: None
) -> None:
    """A scope that one left open cancelled another; a comparison that failed cancelled all."""
    async with jobs_host(sqlite_url, mode="Producer", more_jobs=KINDS) as producer:
        # After so many quick ones the worker holds jobs that wait for one of its tasks.
        await enqueued(producer, QuickJob, 100, 0)
        (careless,) = await enqueued(producer, job, 1, 1)
        others = await enqueued(producer, LongJob, AFTER, 2)
    async with jobs_host(sqlite_url, more_jobs=KINDS, max_concurrency=4) as jobs:
        assert (await jobs.ends(careless)).state is state
        for other in others:
            ended = await jobs.ends(other)
            assert (ended.state, ended.error) == (JobState.COMPLETED, None)
            assert [each.number for each in ended.attempts] == [1]
