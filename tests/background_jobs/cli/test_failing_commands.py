"""`modhost jobs` on a database that fails: one sentence, and exit code 1."""

import pytest
from sqlalchemy import text

from background_jobs.commands import Commands
from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import WaitingJob
from modhost.database import Database
from modhost_background_jobs.contracts import JobId

pytestmark = pytest.mark.anyio


async def changed(database_url: str, statement: str) -> None:
    """Change the database behind the host's back; JOBS stands for the table."""
    async with Database(database_url).open() as database:
        table = f"background_jobs{'_' if database.dialect == 'sqlite' else '.'}jobs"
        async with database.session() as session:
            connection = await session.connection()
            await connection.execute(text(statement.replace("JOBS", table)))


async def waiting_job(database_url: str) -> JobId:
    async with jobs_host(database_url, mode="Producer") as jobs:
        return await jobs.scheduling.enqueue(WaitingJob)


async def refused(commands: Commands, *words: str) -> str:
    run = await commands.run(*words)
    assert (run.exit_code, run.stdout) == (1, "")
    assert run.stderr.startswith("Error: The database ")
    assert run.stderr.count("\n") == 1
    return run.stderr.partition(" cannot be used: ")[2]


async def test_data_that_cannot_be_read_is_reported_in_a_sentence(
    database_url: str, commands: Commands
) -> None:
    job = await waiting_job(database_url)
    await changed(database_url, "UPDATE JOBS SET data = '{broken'")
    reported = await refused(commands, "show", str(job))
    assert reported == (
        "it holds a text that is not JSON where the data of a job should be. "
        "Fix that row, or restore a backup.\n"
    )


async def test_a_time_that_cannot_be_read_is_reported_in_a_sentence(
    database_url: str, commands: Commands
) -> None:
    job = await waiting_job(database_url)
    await changed(database_url, "UPDATE JOBS SET created_at = '20000-01-01'")
    for words in (["list"], ["show", str(job)]):
        reported = await refused(commands, *words)
        assert reported.startswith(("it holds '20000-01-01' where a time should be.", "date value"))
        assert reported.endswith(". Fix that row, or restore a backup.\n")


async def test_a_table_that_is_missing_is_reported_in_a_sentence(
    database_url: str, commands: Commands
) -> None:
    job = await waiting_job(database_url)
    await changed(database_url, "ALTER TABLE JOBS RENAME TO gone")
    for words in (["list"], ["cancel", str(job)], ["stats"]):
        reported = await refused(commands, *words)
        assert "jobs" in reported
        assert reported.endswith(". Run `modhost doctor` to find out what is wrong with it.\n")
