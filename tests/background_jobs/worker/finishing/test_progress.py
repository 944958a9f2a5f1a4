"""How progress and logs reach the database."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import ClassVar

import anyio
import pytest
from sqlalchemy import text

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ProbedJob, ReportingJob, Work
from modhost.database import Database
from modhost_background_jobs.contracts import JobExecutionContext, JobState
from modhost_background_jobs.model import Lease
from modhost_background_jobs.worker.finishing.progress import (
    FIRST_LINES,
    FIRST_LINES_SECONDS,
    ProgressBuffer,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def without_logs(database_url: str) -> AsyncIterator[None]:
    """Take the table of the logs away for a while, so that nothing can be written to it."""
    async with Database(database_url).open() as database:
        sqlite = database.dialect == "sqlite"
        logs = "background_jobs_logs" if sqlite else "logs"
        schema = "main" if sqlite else "background_jobs"

        async def rename(name: str, to: str) -> None:
            async with database.session() as session:
                connection = await session.connection()
                await connection.execute(text(f"ALTER TABLE {schema}.{name} RENAME TO {to}"))

        await rename(logs, "away")
        yield
        await rename("away", logs)


async def test_logs_that_could_not_be_written_are_there_when_the_job_is_completed(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The second try once found its count of entries at zero, and left the lines behind."""
    caplog.set_level("DEBUG")
    async with jobs_host(database_url) as jobs:
        async with without_logs(database_url):
            job_id = await jobs.scheduling.enqueue(ReportingJob, Work(lines=3))
            await jobs.probe.until(
                lambda: caplog.text.count("The write of progress and logs failed") > 1
            )
        job = await jobs.ends(job_id)
    assert (job.state, job.progress_percentage) == (JobState.COMPLETED, 100)
    assert [line.message for line in job.logs] == ["line 0", "line 1", "line 2"]


class ChattyJob(ProbedJob):
    """Writes the first lines, then one more when the gate opens, and ends when it may."""

    may_end: ClassVar[anyio.Event]

    async def execute(self, context: JobExecutionContext) -> None:
        for number in range(FIRST_LINES):
            context.log(f"line {number}")
        await self.probe.gate.wait()
        context.log("one more")
        self.probe.finished["chatty"] += 1
        await self.may_end.wait()


async def test_the_first_lines_of_an_attempt_are_stored_at_once_and_later_ones_in_batches(
    database_url: str,
) -> None:
    """A worker that was killed half a second later left none of them."""
    ChattyJob.may_end = anyio.Event()
    async with jobs_host(
        database_url, more_jobs=[ChattyJob], progress_flush_interval="60s"
    ) as jobs:
        job_id = await jobs.scheduling.enqueue(ChattyJob)
        running = await jobs.until(job_id, lambda job: bool(job.logs), seconds=20)
        assert len(running.logs) == FIRST_LINES
        jobs.probe.gate.set()
        await jobs.probe.until(lambda: jobs.probe.finished["chatty"] == 1)
        await anyio.sleep(3 * FIRST_LINES_SECONDS)
        assert len((await jobs.detail(job_id)).logs) == FIRST_LINES
        ChattyJob.may_end.set()
        assert len((await jobs.ends(job_id)).logs) == FIRST_LINES + 1


async def test_quick_jobs_with_log_lines_cost_no_more_transactions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[object] = []
    async with jobs_host(database_url, progress_flush_interval="60s") as jobs:
        buffer = await jobs.service(ProgressBuffer)
        flush = buffer._flush_or_log

        async def counted(leases: Collection[Lease] | None = None) -> None:
            flushes.append(leases)
            await flush(leases)

        monkeypatch.setattr(buffer, "_flush_or_log", counted)
        for _ in range(5):
            work = [Work(lines=2)] * 20
            for job_id in await jobs.scheduling.enqueue_many(ReportingJob, work):
                assert len((await jobs.ends(job_id)).logs) == 2
        during = len(flushes)
    # Of a hundred jobs a few may take as long as that on a busy machine.
    assert during < 10
