from datetime import timedelta
from random import Random

import pytest

from background_jobs.support import claim, claim_one, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobConflict, JobNotFound, JobState
from modhost_background_jobs.model import Ended, Lease, LogLine, Released
from modhost_background_jobs.model.attempt import CLAIMS_KEPT
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.retention import RetentionStore
from moving_clock import START

pytestmark = pytest.mark.anyio

LATER = START + timedelta(seconds=30)


async def state_of(listing: JobListing, job_id: object) -> str | None:
    row = await listing.find(job_id)  # type: ignore[arg-type]
    return row.state if row else None


async def test_a_released_job_waits_until_its_time_with_the_attempt_spent(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job(max_attempts=3)])
    first = await claim_one(store)
    await store.release([Released(first.lease, LATER, "it broke", spent=True)], START)
    assert await claim(store) == []
    second = await claim_one(store, now=LATER)
    assert (second.attempt, second.attempts_left) == (2, 1)
    found = await details.find(first.lease.job_id)
    assert found is not None
    assert [(each.number, each.error) for each in found.attempts] == [(1, "it broke"), (2, None)]


async def test_a_job_that_is_released_has_no_attempt_spent(store: JobStore) -> None:
    await store.insert([new_job(max_attempts=3)])
    first = await claim_one(store)
    await store.release([Released(first.lease, START, "released", spent=False)], START)
    second = await claim_one(store)
    assert (second.attempt, second.attempts_left) == (1, 2)
    assert second.lease.fence == 2


async def test_a_pending_job_is_cancelled_at_once_and_never_claimed(
    store: JobStore, queue: DatabaseJobQueue, listing: JobListing
) -> None:
    job = new_job()
    await store.insert([job])
    assert await queue.cancel(job.id) is JobState.CANCELLED
    assert await state_of(listing, job.id) == "Cancelled"
    assert await claim(store) == []


async def test_a_running_job_is_asked_to_stop(
    store: JobStore, queue: DatabaseJobQueue, listing: JobListing
) -> None:
    await store.insert([new_job()])
    lease = (await claim_one(store)).lease
    assert await queue.cancel(lease.job_id) is JobState.RUNNING
    assert await store.leases("w1") == {lease: True}
    assert await state_of(listing, lease.job_id) == "Running"


async def test_a_job_that_was_asked_to_stop_is_never_pending_again(
    store: JobStore, queue: DatabaseJobQueue, listing: JobListing
) -> None:
    await store.insert([new_job()])
    lease = (await claim_one(store)).lease
    await queue.cancel(lease.job_id)
    held = await store.release([Released(lease, START, "it broke", spent=True)], START)
    assert held == {lease.job_id}
    assert await state_of(listing, lease.job_id) == "Cancelled"


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED])
async def test_a_job_that_has_finished_cannot_be_cancelled(
    store: JobStore, queue: DatabaseJobQueue, state: JobState
) -> None:
    await store.insert([new_job()])
    lease = (await claim_one(store)).lease
    await store.end([Ended(lease, state)], START)
    with pytest.raises(JobConflict, match=f"is {state.value} and cannot be cancelled"):
        await queue.cancel(lease.job_id)


async def test_each_end_of_a_batch_is_that_of_its_job_in_whatever_order_they_come(
    store: JobStore, details: JobDetailReader
) -> None:
    await store.insert([new_job() for _ in range(30)])
    leases = [each.lease for each in await claim(store, limit=30)]
    await store.release([Released(lease, START) for lease in leases[::5]], START)
    again = {each.lease.job_id: each.lease for each in await claim(store, limit=30)}
    leases = [again.get(lease.job_id, lease) for lease in leases]
    assert {lease.fence for lease in leases} == {1, 2}
    lost = [Ended(Lease(lease.job_id, 1), JobState.FAILED, "lost") for lease in again.values()]
    ends = [
        Ended(lease, JobState.FAILED, f"error {number}")
        if number % 3 == 0
        else Ended(lease, JobState.COMPLETED, None, f"{number}" if number % 3 == 1 else None)
        for number, lease in enumerate(leases)
    ]
    mixed = [*lost, *ends]
    Random(7).shuffle(mixed)  # noqa: S311 - not for secrets
    assert await store.end(mixed, START) == {lease.job_id for lease in leases}
    for end in ends:
        found = await details.find(end.lease.job_id)
        assert found is not None
        assert (found.row.state, found.row.error, found.result) == (
            end.state.value,
            end.error,
            end.result,
        )


async def test_each_release_of_a_batch_is_that_of_its_job_in_whatever_order_they_come(
    store: JobStore, queue: DatabaseJobQueue, details: JobDetailReader
) -> None:
    await store.insert([new_job() for _ in range(24)])
    leases = [each.lease for each in await claim(store, limit=24)]
    releases = [
        Released(
            lease,
            None if number % 4 == 0 else START + timedelta(seconds=number),
            f"error {number}" if number % 3 == 0 else None,
            spent=number % 2 == 0,
        )
        for number, lease in enumerate(leases)
    ]
    stopped = {lease.job_id for lease in leases[::6]}
    for job_id in stopped:
        await queue.cancel(job_id)
    lost = [Released(Lease(lease.job_id, 9), LATER, "lost") for lease in leases[1::6]]
    held = {lease.job_id for lease in leases} - {each.lease.job_id for each in lost}
    mixed = [*lost, *(each for each in releases if each.lease.job_id in held)]
    Random(7).shuffle(mixed)  # noqa: S311 - not for secrets
    assert await store.release(mixed, START) == held
    for number, each in enumerate(releases):
        found = await details.find(each.lease.job_id)
        assert found is not None
        row, spent = found.row, int(each.spent)
        if each.lease.job_id in stopped:
            error = each.error if each.spent else None
            assert (row.state, row.error) == ("Cancelled", error)
        elif each.lease.job_id not in held:
            assert (row.state, row.attempt) == ("Running", 1)
        else:
            due = START if number % 4 == 0 else each.execute_at
            assert (row.state, row.execute_at, row.attempt) == ("Pending", due, spent)
            errors = [attempt.error for attempt in found.attempts]
            assert errors == ([] if each.error is None else [each.error])


async def test_of_two_attempts_of_a_job_in_a_batch_the_later_one_is_released(
    store: JobStore, details: JobDetailReader
) -> None:
    """On SQLite either of them was, or both: a worker can claim again what it was rescued of."""
    await store.insert([new_job() for _ in range(10)])
    lost = [each.lease for each in await claim(store)]
    await store.release([Released(lease, START) for lease in lost], START)
    again = [each.lease for each in await claim(store)]
    mixed = [
        *(Released(lease, LATER, "lost", spent=True) for lease in lost[::2]),
        *(Released(lease, START, "held") for lease in again),
        *(Released(lease, LATER, "lost", spent=True) for lease in lost[1::2]),
    ]
    assert await store.release(mixed, START) == {lease.job_id for lease in again}
    for lease in again:
        found = await details.find(lease.job_id)
        assert found is not None
        assert (found.row.state, found.row.execute_at, found.row.attempt) == ("Pending", START, 0)
        assert [each.error for each in found.attempts] == ["held"]


async def test_a_job_that_does_not_exist_can_be_neither_cancelled_nor_retried(
    queue: DatabaseJobQueue,
) -> None:
    missing = new_job().id
    with pytest.raises(JobNotFound):
        await queue.cancel(missing)
    with pytest.raises(JobNotFound):
        await queue.retry(missing)


async def test_only_a_failed_job_can_be_retried(store: JobStore, queue: DatabaseJobQueue) -> None:
    await store.insert([new_job()])
    claimed = await claim_one(store)
    with pytest.raises(JobConflict, match="is Running and cannot be retried"):
        await queue.retry(claimed.lease.job_id)
    await store.end([Ended(claimed.lease, JobState.COMPLETED)], START)
    with pytest.raises(JobConflict, match="is Completed and cannot be retried"):
        await queue.retry(claimed.lease.job_id)


async def test_a_retried_job_has_a_fresh_allowance_and_keeps_its_attempts(
    store: JobStore, queue: DatabaseJobQueue, details: JobDetailReader
) -> None:
    await store.insert([new_job(max_attempts=1)])
    first = await claim_one(store)
    await store.end([Ended(first.lease, JobState.FAILED, "it broke")], START)
    await queue.retry(first.lease.job_id)
    second = await claim_one(store)
    assert (second.attempt, second.attempts_left) == (2, 0)
    found = await details.find(first.lease.job_id)
    assert found is not None
    assert [each.error for each in found.attempts] == ["it broke", None]


async def test_old_jobs_are_deleted_with_their_logs_and_attempts_in_batches(
    store: JobStore, deletion: RetentionStore, listing: JobListing, database: Database
) -> None:
    await store.insert([new_job() for _ in range(5)])
    for claimed in await claim(store):
        await store.append_logs([LogLine(claimed.lease, 0, START, "a line")], 10)
        await store.end([Ended(claimed.lease, JobState.COMPLETED)], START)
    await store.insert([new_job()])
    young = await claim_one(store)
    await store.end([Ended(young.lease, JobState.COMPLETED)], LATER)
    assert [await deletion.prune(JobState.COMPLETED, LATER, 3) for _ in range(3)] == [3, 2, 0]
    rows, total, _ = await listing.page(Selection(), 0, 10)
    assert total == 1
    assert rows[0].id == young.lease.job_id


async def test_a_job_in_the_callers_transaction_exists_when_it_commits(
    store: JobStore, queue: DatabaseJobQueue, database: Database
) -> None:
    job = new_job()
    async with database.session() as session:
        await queue.enqueue([job], session)
    assert (await claim_one(store)).lease.job_id == job.id


async def test_a_job_in_the_callers_transaction_vanishes_when_it_rolls_back(
    store: JobStore, queue: DatabaseJobQueue, database: Database
) -> None:
    async def enqueue_and_fail() -> None:
        async with database.session() as session:
            await queue.enqueue([new_job()], session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail()
    assert await claim(store) == []


async def test_enqueueing_beside_an_open_session_is_refused_where_it_would_wait_for_itself(
    queue: DatabaseJobQueue, database: Database
) -> None:
    if database.dialect == "postgresql":
        pytest.skip("PostgreSQL has room for two transactions of one task")
    async with database.session():
        with pytest.raises(RuntimeError, match="pass session="):
            await queue.enqueue([new_job()])


async def test_jobs_are_listed_the_newest_first_over_live_and_finished_ones(
    store: JobStore, listing: JobListing
) -> None:
    jobs = [new_job(job_type=f"tests.{'Job' if n % 2 else 'Other'}") for n in range(6)]
    await store.insert(jobs)
    for claimed in await claim(store, limit=3):
        await store.end([Ended(claimed.lease, JobState.COMPLETED)], START)
    rows, total, _ = await listing.page(Selection(), 1, 3)
    assert total == 6
    assert [row.id for row in rows] == [job.id for job in reversed(jobs)][1:4]
    rows, total, _ = await listing.page(Selection((JobState.COMPLETED,), "tests.Job"), 0, 10)
    assert (len(rows), total) == (1, 1)


async def test_a_job_that_is_snoozed_forever_keeps_its_latest_attempts(
    store: JobStore, details: JobDetailReader
) -> None:
    """Each snooze left a row, and nothing ever deleted one."""
    job = new_job()
    await store.insert([job])
    for _ in range(CLAIMS_KEPT + 5):
        claimed = await claim_one(store)
        await store.release([Released(claimed.lease, START, "busy", spent=False)], START)
    found = await details.find(job.id)
    assert found is not None
    assert len(found.attempts) == CLAIMS_KEPT
