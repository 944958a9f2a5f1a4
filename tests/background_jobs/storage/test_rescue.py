from datetime import timedelta

import pytest

from background_jobs.support import add_worker, claim_one, new_job, seen
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import UNREGISTERED, Departure, Heartbeat
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

LATER = START + timedelta(seconds=30)


async def test_a_rescued_job_is_pending_again_without_an_attempt_spent(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job(max_attempts=3)])
    first = await claim_one(store)
    (rescue,) = await store.rescue(await seen(store, "w1"), 3, LATER)
    assert (rescue.job_id, rescue.state) == (first.lease.job_id, JobState.PENDING)
    await add_worker(store, "w2")
    second = await claim_one(store, "w2", LATER)
    assert (second.attempt, second.attempts_left) == (first.attempt, first.attempts_left)
    found = await details.find(first.lease.job_id)
    assert found is not None
    attempt, _ = found.attempts
    assert attempt.worker == "w1"
    assert str(attempt.error).startswith("lost worker: w1 died")


async def test_a_worker_that_was_heard_of_since_keeps_its_jobs(store: JobStore) -> None:
    await store.insert([new_job()])
    claimed = await claim_one(store)
    stale = await seen(store, "w1")
    assert await store.beat("w1", LATER)
    assert await store.rescue(stale, 3, LATER) == []
    assert await store.leases("w1") == {claimed.lease: False}


async def test_a_worker_that_was_found_dead_learns_it_and_claims_nothing(store: JobStore) -> None:
    await store.rescue(await seen(store, "w1"), 3, LATER)
    assert not await store.beat("w1", LATER)
    await store.insert([new_job()])
    assert await store.claim("w1", ["tests.Job"], 1, LATER) == []


async def test_a_job_that_was_to_be_cancelled_is_cancelled_when_its_worker_dies(
    store: JobStore, queue: DatabaseJobQueue, listing: JobListing
) -> None:
    job = new_job()
    await store.insert([job])
    await claim_one(store)
    assert await queue.cancel(job.id) is JobState.RUNNING
    (rescue,) = await store.rescue(await seen(store, "w1"), 3, LATER)
    assert rescue.state is JobState.CANCELLED
    row = await listing.find(job.id)
    assert row is not None
    assert row.state == "Cancelled"


async def test_jobs_of_a_worker_that_is_not_registered_are_found(store: JobStore) -> None:
    await store.insert([new_job()])
    await claim_one(store)
    await store.unregister("w1", LATER, Departure.STOPPED)
    assert await store.heartbeats() == [Heartbeat("w1", UNREGISTERED)]
    (rescue,) = await store.rescue(Heartbeat("w1", UNREGISTERED), 3, LATER)
    assert rescue.state is JobState.PENDING


async def test_two_sweepers_rescue_a_job_once(store: JobStore) -> None:
    await store.insert([new_job()])
    await claim_one(store)
    stale = await seen(store)
    rescued = [await store.rescue(stale, 3, LATER), await store.rescue(stale, 3, LATER)]
    assert [len(each) for each in rescued] == [1, 0]


async def test_a_worker_that_registers_again_is_not_the_one_that_was_seen_before(
    store: JobStore,
) -> None:
    """Beats that began at 0 each time let a sweeper bury a worker that had just come back."""
    stale = await seen(store)
    await store.rescue(stale, 3, LATER)
    await add_worker(store)
    await store.insert([new_job()])
    claimed = await claim_one(store)
    assert await store.rescue(stale, 3, LATER) == []
    assert await store.leases("w1") == {claimed.lease: False}
