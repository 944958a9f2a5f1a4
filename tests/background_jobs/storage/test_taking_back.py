"""A worker that was taken for dead and lives takes its rescues back."""

from datetime import timedelta

import pytest

from background_jobs.support import add_worker, claim_one, new_job, seen
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, Ended, LostLease, Released
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

LATER = START + timedelta(seconds=30)


async def rescued_from(store: JobStore, worker: str, max_rescues: int = 3) -> ClaimedJob:
    """Let a worker claim the job, begin it, and be taken for dead."""
    await add_worker(store, worker)
    claimed = await claim_one(store, worker, LATER)
    assert await store.note_begin(claimed.lease)
    await store.rescue(await seen(store, worker), max_rescues, LATER)
    return claimed


async def come_back(store: JobStore, claimed: ClaimedJob, *, counts: bool = True) -> None:
    await store.take_back_rescues([LostLease(claimed.lease, counts)], LATER)


async def count(store: JobStore) -> int:
    """The number of rescues, as the next worker gets to know it."""
    await add_worker(store, "asking")
    claimed = await claim_one(store, "asking", LATER)
    await store.release([Released(claimed.lease)], LATER)
    return claimed.rescues


async def test_a_rescue_of_a_living_worker_does_not_count(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    first = await rescued_from(store, "w2")
    await rescued_from(store, "w3")
    await come_back(store, first)
    # A second time it changes nothing: it has been corrected.
    await come_back(store, first)
    assert await count(store) == 1
    found = await details.find(first.lease.job_id)
    assert found is not None
    assert [str(each.error).partition(":")[0] for each in found.attempts[:2]] == [
        "cut off",
        "lost worker",
    ]
    assert "w2 was taken for dead and came back" in str(found.attempts[0].error)


async def test_what_did_not_count_is_not_taken_back(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    await rescued_from(store, "w2")
    second = await rescued_from(store, "w3")
    await come_back(store, second, counts=False)
    assert await count(store) == 2


async def test_an_attempt_that_ended_by_itself_has_cleared_the_count_before(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    early = await rescued_from(store, "w2")
    await add_worker(store, "w3")
    between = await claim_one(store, "w3", LATER)
    await store.release([Released(between.lease, LATER, "failed", spent=True)], LATER)
    await rescued_from(store, "w4")
    await come_back(store, early)
    assert await count(store) == 1


@pytest.mark.parametrize("returning", [0, 1, 2])
async def test_a_job_leaves_quarantine_when_one_of_its_workers_lives(
    store: JobStore, details: JobDetailReader, returning: int
) -> None:
    await store.insert([new_job(max_attempts=2)])
    lost = [await rescued_from(store, f"victim-{number}") for number in range(3)]
    job_id = lost[0].lease.job_id
    found = await details.find(job_id)
    assert found is not None
    assert found.row.state is JobState.FAILED
    await come_back(store, lost[returning])
    found = await details.find(job_id)
    assert found is not None
    assert (found.row.state, found.row.error) == (JobState.PENDING, None)
    errors = [str(each.error).partition(":")[0] for each in found.attempts]
    assert errors == ["cut off" if number == returning else "lost worker" for number in range(3)]
    await add_worker(store, "next")
    again = await claim_one(store, "next", LATER)
    assert (again.attempt, again.attempts_left, again.rescues) == (1, 1, 2)
    assert again.lease.fence > lost[2].lease.fence


async def test_a_job_that_failed_by_itself_stays_so(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    claimed = await rescued_from(store, "w2")
    await add_worker(store, "w3")
    again = await claim_one(store, "w3", LATER)
    await store.end([Ended(again.lease, JobState.FAILED, "an error")], LATER)
    await come_back(store, claimed)
    found = await details.find(claimed.lease.job_id)
    assert found is not None
    assert found.row.state is JobState.FAILED
