"""What `execute` returns decides how it is finished, not how it was declared."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import JobsModule, Probe, ProbedJob
from hosts import host_with
from modhost.checks import StartupError
from modhost_background_jobs.contracts import JobExecutionContext, JobState, ModuleJob

pytestmark = pytest.mark.anyio

Execute = Callable[[Any, JobExecutionContext], Any]


def hidden(function: Execute) -> Execute:
    """Hide that a function is a coroutine function, or a generator, as many decorators do."""

    @functools.wraps(function)
    def call(self: Any, context: JobExecutionContext) -> Any:
        return function(self, context)

    return call


async def work(job: ProbedJob) -> None:
    await asyncio.sleep(0)
    job.probe.finished["job"] += 1


class DecoratedJob(ProbedJob):
    @hidden
    async def execute(self, context: JobExecutionContext) -> None:
        await work(self)


class PartialJob(ProbedJob):
    execute: ClassVar[Any] = functools.partialmethod(DecoratedJob.execute)


class UnawaitedJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> Awaitable[None]:
        return work(self)


class TaskJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> Awaitable[None]:
        return asyncio.create_task(work(self))


class CustomAwaitable:
    """As compiled code returns: it has `__await__`, and is not a coroutine."""

    def __init__(self, job: ProbedJob) -> None:
        self._job = job

    def __await__(self) -> Any:
        return work(self._job).__await__()


class CompiledJob(ProbedJob):
    def execute(self, context: JobExecutionContext) -> Awaitable[None]:
        return CustomAwaitable(self)


class HiddenWaitingJob(ProbedJob):
    @hidden
    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        await self.probe.gate.wait()


class GeneratorJob(ProbedJob):
    def execute(self, context: JobExecutionContext) -> Iterator[None]:
        yield


class AsyncGeneratorJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> AsyncIterator[None]:
        yield


class HiddenGeneratorJob(ProbedJob):
    execute: ClassVar[Any] = hidden(GeneratorJob.execute)


class HiddenAsyncGeneratorJob(ProbedJob):
    execute: ClassVar[Any] = hidden(AsyncGeneratorJob.execute)


@pytest.mark.parametrize("job", [DecoratedJob, PartialJob, UnawaitedJob, TaskJob, CompiledJob])
async def test_what_execute_returns_is_awaited(sqlite_url: str, job: type[ModuleJob]) -> None:
    """The job was `Completed` and had not run."""
    async with jobs_host(sqlite_url, more_jobs=[job]) as jobs:
        ended = await jobs.ends(await jobs.scheduling.enqueue(job))
        assert (ended.state, jobs.probe.finished["job"]) == (JobState.COMPLETED, 1)


async def test_what_a_thread_returned_is_stopped_as_a_task(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, more_jobs=[HiddenWaitingJob]) as jobs:
        cancelled = await jobs.scheduling.enqueue(HiddenWaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["job"] == 1)
        await jobs.scheduling.cancel(cancelled)
        assert (await jobs.ends(cancelled)).state is JobState.CANCELLED
        late = await jobs.scheduling.enqueue(
            HiddenWaitingJob, max_attempts=1, timeout=timedelta(seconds=0.1)
        )
        assert "timed out" in str((await jobs.ends(late)).error)


@pytest.mark.parametrize("job", [HiddenGeneratorJob, HiddenAsyncGeneratorJob])
async def test_a_generator_that_is_returned_fails_the_job(
    sqlite_url: str, job: type[ModuleJob]
) -> None:
    async with jobs_host(sqlite_url, more_jobs=[job]) as jobs:
        ended = await jobs.ends(await jobs.scheduling.enqueue(job))
    assert (ended.state, len(ended.attempts)) == (JobState.FAILED, 1)
    assert "execute returned a generator, so nothing of it has run" in str(ended.error)


@pytest.mark.parametrize("job", [GeneratorJob, AsyncGeneratorJob])
async def test_a_generator_stops_the_start(sqlite_url: str, job: type[ModuleJob]) -> None:
    with pytest.raises(StartupError) as refused:
        async with host_with(sqlite_url, JobsModule(Probe(), [job])):
            pass
    (finding,) = refused.value.findings
    assert (finding.rule.code, finding.module) == ("MH604", "tests")
    assert f"{job.__name__}.execute has a `yield`" in finding.detail
