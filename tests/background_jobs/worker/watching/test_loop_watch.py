"""A job that blocks the event loop is reported while it does: which one, how long and where."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import Probe, ProbedJob, ReportingJob
from modhost_background_jobs.contracts import JobExecutionContext, JobState, ModuleJob
from modhost_background_jobs.worker.watching.loop_watch import LoopWatch

pytestmark = pytest.mark.anyio

LIMIT = 0.25
PATIENCE = 20.0


class BlockingJob(ProbedJob):
    """Blocks the loop until that is reported: a machine that stutters may take its time."""

    def __init__(self, probe: Probe, watch: LoopWatch) -> None:
        super().__init__(probe)
        self._watch = watch
        self._until = time.monotonic() + PATIENCE

    def blocks_on(self, context: JobExecutionContext) -> bool:
        # Copied at once: the thread of the watch may add to them.
        blocks = list(self._watch._blocks)
        is_reported = any(str(context.job_id) in each.what for each in blocks)
        return not is_reported and time.monotonic() < self._until


class SleepingJob(BlockingJob):
    async def execute(self, context: JobExecutionContext) -> None:
        context.log("first")
        while self.blocks_on(context):
            time.sleep(0.02)  # noqa: ASYNC251 - this job is badly written on purpose
        context.log("last")


class SubtaskJob(BlockingJob):
    async def execute(self, context: JobExecutionContext) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._compute, context)

    async def _compute(self, context: JobExecutionContext) -> None:
        await asyncio.sleep(0)
        while self.blocks_on(context):
            sum(range(1000))


class NativeJob(BlockingJob):
    """Keeps the interpreter's lock in native code."""

    async def execute(self, context: JobExecutionContext) -> None:
        text, took = "a" * 19, 0.0
        while took < 1 or self.blocks_on(context):
            text += "a" if took < 1 else ""
            began = time.monotonic()
            re.fullmatch(r"(a+)+b", text)
            took = time.monotonic() - began


BLOCKING = (SleepingJob, SubtaskJob)


@asynccontextmanager
async def watched(database_url: str) -> AsyncIterator[Jobs]:
    async with jobs_host(database_url, more_jobs=(*BLOCKING, NativeJob)) as jobs:
        (await jobs.service(LoopWatch)).limit = LIMIT
        yield jobs


@pytest.mark.parametrize("job", BLOCKING)
async def test_the_job_is_named_with_its_place(
    database_url: str, job: type[ModuleJob], caplog: pytest.LogCaptureFixture
) -> None:
    async with watched(database_url) as jobs:
        watch = await jobs.service(LoopWatch)
        job_id = await jobs.scheduling.enqueue(job)
        ended = await jobs.ends(job_id)
        with anyio.fail_after(10):
            while "blocks the" in await jobs.health() or not watch.troubles():
                await anyio.sleep(0.05)
        health = await jobs.health()
    assert ended.state is JobState.COMPLETED
    name = f"The job {job_id} (tests.{job.__name__})"
    assert f"{name} blocks the event loop." in caplog.text
    said = re.escape(name) + r" blocked the event loop for \d+\.\d s"
    assert re.search(said, caplog.text)
    assert re.search(said, health)
    (remark,) = [line.message for line in ended.logs if "has not turned" in line.message]
    assert "test_loop_watch.py" in remark
    assert "def execute" in remark


async def test_it_is_reported_while_the_loop_does_not_turn(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def wait_for_report(read: Callable[[], str]) -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until and "thread.join()" not in read():
            time.sleep(0.02)
        seen.append(read())

    async with watched(sqlite_url) as jobs:
        await jobs.ends(await jobs.scheduling.enqueue(ReportingJob))
        thread = threading.Thread(target=wait_for_report, args=[lambda: caplog.text])
        thread.start()
        thread.join()  # blocks the loop of this test, and of the host
        health = await jobs.health()
    assert "Something blocks the event loop." in seen[0]
    assert "thread.join()" in seen[0]
    assert "Something" in health


async def test_native_code_that_holds_up_all_threads_is_reported_too(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Afterwards, and by its job only if that is still in it."""
    async with watched(sqlite_url) as jobs:
        await jobs.ends(await jobs.scheduling.enqueue(NativeJob))
        with anyio.fail_after(10):
            while "blocked the event loop for" not in await jobs.health():
                await anyio.sleep(0.05)
    assert "blocks the event loop." in caplog.text
