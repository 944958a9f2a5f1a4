from datetime import timedelta

import pytest

from background_jobs.support import add_worker, claim_one, new_job, seen
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import (
    ClaimedJob,
    Ended,
    Lease,
    LogLine,
    ProgressUpdate,
    Released,
)
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

LATER = START + timedelta(seconds=5)


async def taken_over(store: JobStore) -> tuple[Lease, ClaimedJob]:
    """The void lease of a worker found dead, and the claim of the one that has the job now."""
    await store.insert([new_job()])
    old = await claim_one(store)
    await store.rescue(await seen(store), 3, START)
    await add_worker(store, "w2")
    return old.lease, await claim_one(store, "w2")


async def test_a_fence_grows_with_every_claim(store: JobStore) -> None:
    old, new = await taken_over(store)
    assert new.lease.fence > old.fence


async def test_a_completion_with_an_old_fence_changes_nothing(
    store: JobStore, listing: JobListing
) -> None:
    old, new = await taken_over(store)
    assert await store.end([Ended(old, JobState.COMPLETED)], LATER) == set()
    row = await listing.find(old.job_id)
    assert row is not None
    assert (row.state, row.worker) == ("Running", "w2")
    assert await store.end([Ended(new.lease, JobState.COMPLETED)], LATER) == {old.job_id}


@pytest.mark.parametrize("order", [1, -1])
async def test_in_a_batch_with_two_attempts_the_later_one_ends_the_job(
    store: JobStore, listing: JobListing, order: int
) -> None:
    old, new = await taken_over(store)
    ends = [Ended(old, JobState.FAILED, "too late"), Ended(new.lease, JobState.COMPLETED)]
    assert await store.end(ends[::order], LATER) == {old.job_id}
    row = await listing.find(old.job_id)
    assert row is not None
    assert row.state == "Completed"


async def test_a_failure_with_an_old_fence_changes_nothing(
    store: JobStore, listing: JobListing
) -> None:
    old, _ = await taken_over(store)
    assert await store.release([Released(old, LATER, "failed", spent=True)], LATER) == set()
    row = await listing.find(old.job_id)
    assert row is not None
    assert row.state == "Running"


async def test_a_release_with_an_old_fence_changes_nothing(
    store: JobStore, details: JobDetailReader
) -> None:
    old, new = await taken_over(store)
    handed_back = [Released(old, LATER, error, spent=False) for error in (None, "shut down")]
    for released in handed_back:
        assert await store.release([released], LATER) == set()
    assert await store.leases("w2") == {new.lease: False}
    found = await details.find(old.job_id)
    assert found is not None
    assert [attempt.worker for attempt in found.attempts] == ["w1", "w2"]


async def test_a_release_with_an_old_fence_does_not_end_a_job_that_is_to_stop(
    store: JobStore, queue: DatabaseJobQueue
) -> None:
    old, new = await taken_over(store)
    await queue.cancel(old.job_id)
    assert await store.release([Released(old, LATER, None, spent=False)], LATER) == set()
    assert await store.leases("w2") == {new.lease: True}
    assert await store.release([Released(new.lease, LATER, None, spent=False)], LATER)
    assert await store.leases("w2") == {}


async def test_progress_and_logs_with_an_old_fence_are_refused(
    store: JobStore, details: JobDetailReader
) -> None:
    old, new = await taken_over(store)
    assert await store.save_progress([ProgressUpdate(old, 99, "zombie", LATER)]) == set()
    assert await store.append_logs([LogLine(old, 0, LATER, "zombie")], 10) == set()
    assert await store.append_logs([LogLine(new.lease, 0, LATER, "alive")], 10) == {old.job_id}
    found = await details.find(old.job_id)
    assert found is not None
    assert found.row.progress_percentage == 0
    assert [line.message for line in found.log] == ["alive"]


async def test_a_lease_is_void_as_soon_as_its_job_is_pending_again(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    lease = (await claim_one(store)).lease
    await store.rescue(await seen(store), 3, START)
    # The fence is the same until the job is claimed again.
    assert await store.end([Ended(lease, JobState.COMPLETED)], LATER) == set()
    assert await store.end_awaited([Ended(lease, JobState.COMPLETED)], LATER) == set()
    assert await store.release([Released(lease, LATER, "late", spent=True)], LATER) == set()
    assert await store.save_progress([ProgressUpdate(lease, 99, "zombie", LATER)]) == set()
    assert await store.append_logs([LogLine(lease, 0, LATER, "zombie")], 10) == set()
    found = await details.find(lease.job_id)
    assert found is not None
    assert (found.row.state, found.row.progress_message, found.log) == ("Pending", None, [])
    assert found.row.execute_at == START


async def test_a_fence_survives_a_retry_by_hand(store: JobStore, queue: DatabaseJobQueue) -> None:
    await store.insert([new_job()])
    first = await claim_one(store)
    await store.end([Ended(first.lease, JobState.FAILED, "broken")], START)
    await queue.retry(first.lease.job_id)
    second = await claim_one(store)
    assert second.lease.fence == first.lease.fence + 1
    assert await store.end([Ended(first.lease, JobState.COMPLETED)], LATER) == set()


async def test_a_second_completion_of_one_attempt_changes_nothing(store: JobStore) -> None:
    await store.insert([new_job()])
    claimed = await claim_one(store)
    assert await store.end([Ended(claimed.lease, JobState.COMPLETED)], START)
    assert await store.end([Ended(claimed.lease, JobState.FAILED, "late")], LATER) == set()


async def test_a_batch_ends_those_jobs_whose_lease_holds(store: JobStore) -> None:
    old, new = await taken_over(store)
    await store.insert([new_job()])
    other = await claim_one(store, "w2")
    held = await store.end(
        [Ended(old, JobState.FAILED), Ended(other.lease, JobState.COMPLETED)], LATER
    )
    assert held == {other.lease.job_id}
    assert await store.leases("w2") == {new.lease: False}


async def test_a_log_line_that_is_written_twice_is_there_once(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    lease = (await claim_one(store)).lease
    lines = [LogLine(lease, number, LATER, f"line {number}") for number in range(3)]
    await store.append_logs(lines[:2], 10)
    await store.append_logs(lines, 10)
    found = await details.find(lease.job_id)
    assert found is not None
    assert [line.message for line in found.log] == ["line 0", "line 1", "line 2"]


async def test_the_newest_log_lines_are_kept(store: JobStore, details: JobDetailReader) -> None:
    await store.insert([new_job()])
    lease = (await claim_one(store)).lease
    for start in (0, 4, 8):
        lines = [LogLine(lease, start + n, LATER, f"line {start + n}") for n in range(4)]
        await store.append_logs(lines, 5)
    found = await details.find(lease.job_id)
    assert found is not None
    assert [line.message for line in found.log] == [f"line {n}" for n in range(7, 12)]


async def test_the_newest_log_lines_of_all_attempts_are_kept(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job()])
    for attempt in (1, 2):
        lease = (await claim_one(store)).lease
        lines = [LogLine(lease, n, LATER, f"line {n} of {attempt}") for n in range(3)]
        await store.append_logs(lines, 4)
        await store.release([Released(lease, START, "failed", spent=True)], LATER)
    found = await details.find(lease.job_id)
    assert found is not None
    kept = [line.message for line in found.log]
    assert kept == ["line 2 of 1", *(f"line {n} of 2" for n in range(3))]
