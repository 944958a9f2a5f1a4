from collections.abc import Callable
from datetime import timedelta

import anyio
import pytest

from background_jobs.support import TYPES, add_worker, claim, claim_one, new_job
from modhost.database import Database
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore, open_store
from moving_clock import START

pytestmark = pytest.mark.anyio


async def test_jobs_are_claimed_the_earliest_due_first(store: JobStore) -> None:
    late, early, middle = new_job(due=-1), new_job(due=-30), new_job(due=-5, job_type=TYPES[1])
    await store.insert([late, early, middle])
    claimed = await claim(store)
    assert [job.lease.job_id for job in claimed] == [early.id, middle.id, late.id]


async def test_jobs_that_are_due_at_one_time_are_claimed_as_they_were_enqueued(
    store: JobStore,
) -> None:
    jobs = [new_job() for _ in range(5)]
    await store.insert(jobs)
    first, second = await claim(store, limit=3), await claim(store, limit=3)
    assert [job.lease.job_id for job in first + second] == [job.id for job in jobs]


async def test_a_limit_takes_the_earliest_of_all_types(store: JobStore) -> None:
    jobs = [new_job(due=-10 + index, job_type=TYPES[index % 2]) for index in range(6)]
    await store.insert(jobs)
    claimed = await claim(store, limit=3)
    assert [job.lease.job_id for job in claimed] == [job.id for job in jobs[:3]]


@pytest.mark.parametrize(
    "type_of",
    [lambda n: n % 12, lambda n: 5, lambda n: n // 10, lambda n: 0 if n % 3 else n % 12],
    ids=["all alike", "one", "one after the other", "one most of all"],
)
async def test_many_types_share_one_order(store: JobStore, type_of: Callable[[int], int]) -> None:
    types = [f"tests.Job{number}" for number in range(12)]
    jobs = [new_job(due=-(n // 2), job_type=types[type_of(n)]) for n in range(120)]
    await store.insert(jobs)
    claimed = []
    for limit in (1, 20, 3, 50, 46):
        claimed += await store.claim("w1", types, limit, START)
    in_order = sorted(jobs, key=lambda job: (job.execute_at, job.id))
    assert [job.lease.job_id for job in claimed] == [job.id for job in in_order]
    assert await store.claim("w1", types, 1, START) == []


async def test_the_next_due_time_is_the_earliest_of_the_known_types(store: JobStore) -> None:
    of_types = [(90, TYPES[0]), (60, TYPES[0]), (75, TYPES[1]), (30, "tests.Unknown")]
    await store.insert([new_job(due=due, job_type=job_type) for due, job_type in of_types])
    for due in (60, 75, 90):
        moment = START + timedelta(seconds=due)
        assert await store.next_due(TYPES) == moment
        assert len(await claim(store, now=moment)) == 1
    assert await store.next_due(TYPES) is None


async def test_a_job_is_not_claimed_before_it_is_due(store: JobStore) -> None:
    await store.insert([new_job(due=60)])
    assert await claim(store) == []
    assert await store.next_due(TYPES) == START + timedelta(seconds=60)
    assert len(await claim(store, now=START + timedelta(seconds=60))) == 1


async def test_a_type_that_this_node_does_not_know_waits(store: JobStore) -> None:
    await store.insert([new_job(job_type="elsewhere.Job")])
    assert await claim(store) == []
    assert await store.next_due(TYPES) is None
    claimed = await store.claim("w1", ["elsewhere.Job"], 1, START)
    assert len(claimed) == 1


async def test_a_node_without_any_type_claims_nothing(store: JobStore) -> None:
    await store.insert([new_job()])
    assert await store.claim("w1", [], 10, START) == []


async def test_a_worker_that_is_not_registered_claims_nothing(store: JobStore) -> None:
    await store.insert([new_job()])
    assert await claim(store, "ghost") == []


async def test_a_claim_carries_what_the_job_needs(store: JobStore) -> None:
    job = new_job(data='{"a":1}', max_attempts=5)
    await store.insert([job])
    claimed = await claim_one(store)
    assert (claimed.job_type, claimed.data) == (job.job_type, '{"a":1}')
    assert (claimed.attempt, claimed.attempts_left) == (1, 4)
    assert claimed.lease == (job.id, 1)


async def test_no_job_is_claimed_twice_by_workers_that_claim_at_the_same_time(
    database_url: str, store: JobStore
) -> None:
    jobs = [new_job() for _ in range(200)]
    await store.insert(jobs)
    claimed: list[object] = []

    async def work(name: str) -> None:
        async with Database(database_url).open() as database:
            own = open_store(database)
            await add_worker(own, name)
            while batch := await claim(own, name, 7):
                claimed.extend(job.lease.job_id for job in batch)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(work, f"worker-{number}")
    assert len(claimed) == 200
    assert set(claimed) == {job.id for job in jobs}


async def test_many_enqueued_at_the_same_time_are_all_there(
    queue: DatabaseJobQueue, store: JobStore
) -> None:
    jobs = [new_job() for _ in range(300)]
    async with anyio.create_task_group() as group:
        for job in jobs:
            group.start_soon(queue.enqueue, [job])
    claimed = await claim(store, limit=1000)
    assert {job.lease.job_id for job in claimed} == {job.id for job in jobs}


async def test_jobs_of_more_types_than_a_statement_can_name_are_claimed_in_order(
    store: JobStore,
) -> None:
    types = [f"tests.Job{number}" for number in range(1001)]
    jobs = [new_job(job_type=types[number], due=-due) for due, number in enumerate((999, 3, 450))]
    await store.insert(jobs)
    claimed = await store.claim("w1", types, 2, START)
    assert [each.job_type for each in claimed] == ["tests.Job450", "tests.Job3"]
