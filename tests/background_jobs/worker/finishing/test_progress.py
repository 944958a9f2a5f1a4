"""How progress and logs reach the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from modhost.database import Database
from modhost_background_jobs.contracts import JobState

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
    async with jobs_host(database_url) as jobs:
        async with without_logs(database_url):
            job_id = await jobs.scheduling.enqueue(ReportingJob, Work(lines=3))
            await jobs.probe.until(lambda: caplog.text.count("Could not store progress") > 1)
        job = await jobs.ends(job_id)
    assert (job.state, job.progress_percentage) == (JobState.COMPLETED, 100)
    assert [line.message for line in job.logs] == ["line 0", "line 1", "line 2"]
