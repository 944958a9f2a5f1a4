"""An enqueue with an id of the caller's own can be repeated, and a cancel and a retry can meet."""

from dataclasses import replace

import anyio
import pytest

from background_jobs.support import add_worker, claim, claim_one, jobs_database, new_job
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import InvalidJobData, JobNotFound, JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.changing import locked_jobs
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore, open_store, open_wakeups
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def test_an_enqueue_that_is_repeated_stores_one_job(
    queue: DatabaseJobQueue, store: JobStore
) -> None:
    job = new_job()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(queue.enqueue_once, job)
    assert len(await claim(store)) == 1
    await queue.enqueue_once(job)
    assert await claim(store) == []


async def test_an_enqueue_that_is_repeated_after_the_job_has_finished_stores_none(
    queue: DatabaseJobQueue, store: JobStore
) -> None:
    job = new_job()
    await queue.enqueue_once(job)
    await store.end([Ended((await claim_one(store)).lease, JobState.COMPLETED)], job.created_at)
    await queue.enqueue_once(job)
    assert await claim(store) == []


async def test_an_id_of_a_job_of_another_type_is_refused(
    queue: DatabaseJobQueue, store: JobStore
) -> None:
    job = new_job()
    await queue.enqueue_once(job)
    with pytest.raises(InvalidJobData, match=r"of type tests\.Job"):
        await queue.enqueue_once(replace(job, job_type="tests.Other"))
    assert len(await claim(store)) == 1


async def test_a_repeated_enqueue_in_a_session_exists_exactly_if_that_commits(
    queue: DatabaseJobQueue, database: Database, listing: JobListing
) -> None:
    job = new_job()

    async def enqueue_and_fail() -> None:
        async with database.session() as session:
            await queue.enqueue_once(job, session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail()
    assert await listing.find(job.id) is None
    async with database.session() as session:
        await queue.enqueue_once(job, session)
    assert await listing.find(job.id) is not None


async def test_a_cancel_that_meets_a_retry_finds_the_job(
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between its reads of the live and of the finished jobs the job came back, so that
    it was found in neither. On SQLite a transaction excludes the other."""
    async with jobs_database(postgres_url).open() as database:
        store = open_store(database)
        await add_worker(store)
        queue = DatabaseJobQueue(database, store, open_wakeups(database), MovingClock())
        job = new_job()
        await store.insert([job])
        await store.end([Ended((await claim_one(store)).lease, JobState.FAILED)], job.created_at)
        read = locked_jobs._state
        retries = iter([queue.retry])

        async def read_after_a_retry(connection, job_id):  # type: ignore[no-untyped-def]
            for retry in retries:
                await retry(job_id)
            return await read(connection, job_id)

        monkeypatch.setattr(locked_jobs, "_state", read_after_a_retry)
        assert await queue.cancel(job.id) is JobState.CANCELLED


async def test_a_job_that_never_was_is_not_found(queue: DatabaseJobQueue) -> None:
    for ask in (queue.cancel, queue.retry):
        with pytest.raises(JobNotFound):
            await ask(new_id())


async def test_many_jobs_in_one_session_have_one_listener(
    queue: DatabaseJobQueue, database: Database, store: JobStore
) -> None:
    """One was left behind for each."""
    wakeups = open_wakeups(database)
    queue = DatabaseJobQueue(database, store, wakeups, MovingClock())
    ticket = wakeups.work.ticket()
    async with database.session() as session:
        for _ in range(10):
            await queue.enqueue([new_job()], session)
            await queue.enqueue_once(new_job(), session)
        assert len(list(session.sync_session.dispatch.after_commit)) == 1
        assert not ticket.is_set()
    assert ticket.is_set()
    assert len(await claim(store, limit=50)) == 20
