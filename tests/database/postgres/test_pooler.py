"""Behind a pooler in transaction mode everything works, without the address saying so."""

import re

import anyio
import pytest
from sqlalchemy import text

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from database.postgres.pooler import SESSIONS, Pooler
from modhost.database import Database
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio


async def count_to(database: Database, numbers: int) -> list[int]:
    """Run a few statements again and again, bare ones and some in transactions."""
    counted: list[int] = []

    async def count(number: int) -> None:
        counted.append(await database.postgres.fetchval("SELECT $1::int", number))
        async with database.session() as session:
            connection = await session.connection()
            for _ in range(2):
                await connection.execute(text("SELECT :number + 1"), {"number": number})

    async with anyio.create_task_group() as group:
        for number in range(numbers):
            group.start_soon(count, number)
    return sorted(counted)


def errors_of(error: BaseException) -> list[BaseException]:
    """Return the errors that a group holds at any depth, or the one error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in errors_of(each)]
    return [error]


async def test_statements_are_not_kept_prepared_behind_a_pooler(postgres_url: str) -> None:
    async with Pooler(postgres_url).open() as pooler:
        async with Database(pooler.url).open() as database:
            assert await count_to(database, 40) == list(range(40))


async def test_they_are_kept_where_the_address_says_so_or_nobody_is_in_between(
    postgres_url: str,
) -> None:
    kept = "SELECT count(*) FROM pg_prepared_statements"
    async with Database(postgres_url).open() as database, database.postgres.acquire() as direct:
        assert await direct.fetchval(kept) == 1
    async with Pooler(postgres_url).open() as pooler:
        insists = Database(f"{pooler.url}?statement_cache_size=100")
        with pytest.raises(Exception) as failed:  # noqa: PT011 - one error, or a group of any size
            async with insists.open() as database:
                await count_to(database, 40)
    # 42P05, 26000, or worse: another client's statement of the same name.
    complaint = re.compile("prepared statement|bind message")
    assert any(complaint.search(str(each)) for each in errors_of(failed.value))


async def test_jobs_run_behind_a_pooler(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Pooler(postgres_url).open() as pooler:
        async with jobs_host(pooler.url) as jobs:
            ids = await jobs.scheduling.enqueue_many(ReportingJob, [Work(lines=2)] * 30)
            for job_id in ids:
                job = await jobs.ends(job_id)
                assert (job.state, len(job.logs)) == (JobState.COMPLETED, 2)
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


async def test_no_session_of_a_pooler_is_left_listening(postgres_url: str) -> None:
    """PgBouncer logged a warning for each notification, a hundred times a second."""
    async with Pooler(postgres_url).open() as pooler:
        async with jobs_host(pooler.url) as jobs:
            await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()))
            listening = "SELECT count(*) FROM pg_listening_channels()"
            async with Database(pooler.url).open() as database:
                counts = [await database.postgres.fetchval(listening) for _ in range(2 * SESSIONS)]
    assert counts == [0] * (2 * SESSIONS)
