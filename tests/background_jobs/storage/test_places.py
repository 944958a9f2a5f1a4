"""The places of jobs in the queue, which those keep that come back without having run."""

from datetime import timedelta
from uuid import UUID

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import WaitingJob, Work
from background_jobs.support import add_worker, claim, new_job, seen
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, ProgressUpdate, Released
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

LATER = START + timedelta(minutes=4)


async def due_jobs(store: JobStore, count: int = 6) -> list[UUID]:
    """Jobs that are due one second after another, the last one now."""
    jobs = [new_job(due=number - count) for number in range(count)]
    await store.insert(jobs)
    return [job.id for job in jobs]


@pytest.mark.parametrize("error", [None, "released: its worker shut down."])
async def test_a_released_job_keeps_its_place(
    store: JobStore, listing: JobListing, error: str | None
) -> None:
    """It went behind everything that was due, and its wait began anew."""
    ids = await due_jobs(store)
    first, second = await claim(store, limit=2)
    await store.release([Released(each.lease, error=error) for each in (second, first)], LATER)
    assert [each.lease.job_id for each in await claim(store, now=LATER)] == ids
    row = await listing.find(ids[0])
    assert row is not None
    assert row.execute_at == START - timedelta(seconds=6)
    assert row.waited == timedelta(minutes=4).total_seconds()


async def test_the_jobs_of_a_dead_worker_are_the_first_to_run_again(store: JobStore) -> None:
    ids = await due_jobs(store)
    await add_worker(store, "w2")
    await claim(store, "w2", limit=2)
    await store.rescue(await seen(store, "w2"), 3, LATER)
    assert [each.lease.job_id for each in await claim(store, now=LATER)] == ids


async def test_a_failed_or_snoozed_job_is_due_at_its_new_time(store: JobStore) -> None:
    failed, snoozed, *others = await due_jobs(store)
    first, second = await claim(store, limit=2)
    await store.release(
        [
            Released(first.lease, LATER, "it broke", spent=True),
            Released(second.lease, LATER, "snoozed", spent=False),
        ],
        START,
    )
    assert [each.lease.job_id for each in await claim(store)] == others
    assert [each.lease.job_id for each in await claim(store, now=LATER)] == [failed, snoozed]


@pytest.mark.parametrize("is_rescued", [True, False])
async def test_progress_begins_anew_with_each_attempt(
    store: JobStore, listing: JobListing, *, is_rescued: bool
) -> None:
    """A failed attempt's progress stayed on the next one, and on the completed job."""
    (id_,) = await due_jobs(store, 1)
    await add_worker(store, "w2")
    (claimed,) = await claim(store, "w2")
    await store.save_progress([ProgressUpdate(claimed.lease, 60, "Halfway", START)])
    if is_rescued:
        await store.rescue(await seen(store, "w2"), 3, LATER)
    else:
        await store.release([Released(claimed.lease, LATER, "it broke", spent=True)], START)
    (again,) = await claim(store, now=LATER)
    row = await listing.find(id_)
    assert row is not None
    assert (row.progress_percentage, row.progress_message, row.progress_at) == (0, None, None)
    await store.end([Ended(again.lease, JobState.COMPLETED)], LATER)
    row = await listing.find(id_)
    assert row is not None
    assert (row.progress_percentage, row.progress_message) == (0, None)


async def test_a_job_that_its_worker_gives_up_at_a_shutdown_keeps_its_due_time(
    database_url: str,
) -> None:
    async with jobs_host(database_url, shutdown_grace="1ms") as jobs:
        id_ = await jobs.scheduling.enqueue(WaitingJob, Work())
        begun = await jobs.reaches(id_, JobState.RUNNING)
        await jobs.probe.until(lambda: bool(jobs.probe.started))
    async with jobs_host(database_url, mode="Producer") as jobs:
        released = await jobs.detail(id_)
    assert released.state is JobState.PENDING
    assert released.execute_at == begun.execute_at
