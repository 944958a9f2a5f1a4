"""Wake-ups that are lost, and that come back."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from background_jobs.postgres_proxy import PostgresProxy
from background_jobs.support import TYPES, jobs_database, new_job
from modhost.database import Database, SqliteAccess
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore, Wakeups, open_store, open_wakeups
from modhost_background_jobs.storage.postgres.notifications import PostgresWakeups
from modhost_background_jobs.storage.postgres.store import PostgresJobStore
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(opened: Wakeups) -> AsyncIterator[None]:
    """Watch within the block."""
    begun = opened.work.ticket()
    async with anyio.create_task_group() as group:
        group.start_soon(opened.watch)
        with anyio.fail_after(10):
            await begun.wait()
        yield
        group.cancel_scope.cancel()


async def enqueued_by_another(jobs: Jobs, url: str) -> None:
    """Enqueue in a session of another process, as it were, and wait for the job's end."""
    async with jobs_host(url, mode="Producer") as producer, producer.host.scope() as scope:
        database = await scope.get(Database)
        async with database.session() as session:
            job_id = await producer.scheduling.enqueue(ReportingJob, Work(), session=session)
            assert await jobs.scheduling.get_status(job_id) is None
        await jobs.ends(job_id, seconds=10)


async def test_a_job_in_a_transaction_wakes_a_consumer_of_another_process_that_does_not_poll(
    database_url: str,
) -> None:
    async with jobs_host(database_url, poll_interval="60s") as jobs:
        for _ in range(3):
            await enqueued_by_another(jobs, database_url)


async def test_a_job_in_a_transaction_wakes_the_same_process_when_it_commits(
    database: Database, store: JobStore, clock: MovingClock
) -> None:
    """Without the notification, and without reading the file."""
    wakeups = open_wakeups(database)
    queue = DatabaseJobQueue(database, store, wakeups, clock)
    ticket = wakeups.work.ticket()
    async with database.session() as session:
        await queue.enqueue([new_job()], session)
        assert not ticket.is_set()
    assert ticket.is_set()


async def test_a_read_of_the_file_that_fails_costs_no_running_job_its_worker(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of one poll used to end the processor, and all that it ran."""
    async with jobs_host(sqlite_url, poll_interval="60s") as jobs:
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        failures = iter([sqlite3.OperationalError("database is locked")])
        read = SqliteAccess.data_version

        def fail_once(sqlite: SqliteAccess) -> int:
            for failure in failures:
                raise failure
            return read(sqlite)

        monkeypatch.setattr(SqliteAccess, "data_version", fail_once)
        for _ in range(2):
            await enqueued_by_another(jobs, sqlite_url)
        jobs.probe.gate.set()
        assert (await jobs.ends(waiting)).state is JobState.COMPLETED
        assert jobs.probe.stopped["waiting"] == 0


async def test_a_listener_that_was_cut_off_without_a_word_listens_again(postgres_url: str) -> None:
    async with (
        jobs_database(postgres_url).open() as direct,
        PostgresProxy(postgres_url).open() as proxy,
        jobs_database(proxy.url, shutdown_timeout=0.1).open() as database,
        AsyncExitStack() as stack,
    ):
        opened = PostgresWakeups(database, silence_seconds=0.05, answer_seconds=0.1)
        await stack.enter_async_context(watching(opened))
        ticket = opened.work.ticket()
        proxy.cut()
        with anyio.fail_after(10):
            await ticket.wait()
            while opened.work.ticket() is ticket:
                await anyio.sleep(0.01)
            ticket = opened.work.ticket()
            await open_store(direct).insert([new_job()])
            await ticket.wait()


async def test_a_claim_that_nobody_answers_ends_soon_and_the_next_gets_through(
    postgres_url: str,
) -> None:
    """A claim is shielded from a shutdown, which waited a minute for a server that was gone."""
    async with (
        PostgresProxy(postgres_url).open() as proxy,
        jobs_database(proxy.url, shutdown_timeout=0.1).open() as database,
    ):
        # What is answered may take its time; the pool of connections is one.
        store = PostgresJobStore(database.postgres)
        impatient = PostgresJobStore(database.postgres, claim_seconds=1.0)
        now = datetime.now(UTC)
        assert await store.claim("w1", TYPES, 1, now) == []
        proxy.cut()
        with anyio.fail_after(20):
            with pytest.raises(TimeoutError):
                await impatient.claim("w1", TYPES, 1, now)
            assert await store.claim("w1", TYPES, 1, now) == []
