"""Fair jobs take turns: one tenant's many do not hold up another's one."""

from datetime import timedelta
from uuid import UUID

import anyio
import pytest

from background_jobs.flow.lanes import Lanes, ids_of, job
from background_jobs.support import jobs_database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, NewJob, Released
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore, Turns, open_store
from modhost_background_jobs.storage.retention import RetentionStore
from moving_clock import START

pytestmark = pytest.mark.anyio


def backlog(keys: int, of_each: int) -> list[NewJob]:
    return [job(fair=f"key {key}") for _ in range(of_each) for key in range(keys)]


async def fall_due(lanes: Lanes, now: float = 0) -> None:
    """Place what fell due, as workers do."""
    moment = START + timedelta(seconds=now)
    for lane in (await lanes.store.read(moment)).heads:
        await Turns(lanes.database).place_due(lane, moment)


async def run(lanes: Lanes, store: JobStore, limit: int) -> list[UUID]:
    """Claim jobs and end them; return their ids in their order."""
    claimed = await lanes.claim(limit)
    await store.end([Ended(each.lease, JobState.COMPLETED) for each in claimed], START)
    return ids_of(claimed)


async def test_the_first_of_each_goes_before_the_second_of_any(lanes: Lanes) -> None:
    a = await lanes.enqueue(*[job(fair="a", due=-60) for _ in range(3)])
    b = await lanes.enqueue(*[job(fair="b") for _ in range(2)])
    assert await lanes.claimed(2) == [a[0], b[0]]
    c = await lanes.enqueue(job(fair="c"))
    assert await lanes.claimed(3) == [c[0], a[1], b[1]]
    assert await lanes.claimed() == a[2:]


async def test_a_new_key_waits_for_no_backlog(lanes: Lanes) -> None:
    await lanes.enqueue(*[job(fair="a", due=-60) for _ in range(300)])
    await lanes.claimed(100)
    (new,) = await lanes.enqueue(job(fair="b"))
    assert new in await lanes.claimed(2)


async def test_a_key_does_not_save_turns_up(lanes: Lanes) -> None:
    """One that had no jobs for long has no more right than the others."""
    a = await lanes.enqueue(*[job(fair="a") for _ in range(50)])
    assert await lanes.claimed(40) == a[:40]
    b = await lanes.enqueue(*[job(fair="b") for _ in range(10)])
    turns = await lanes.claimed(10)
    assert sum(each in b for each in turns) == 5


async def test_jobs_get_their_turns_when_they_fall_due(lanes: Lanes) -> None:
    deferred = await lanes.enqueue(*[job(fair="a", due=10) for _ in range(5)])
    ready = await lanes.enqueue(*[job(fair="b") for _ in range(5)])
    assert await lanes.claimed(2) == ready[:2]
    await fall_due(lanes, 10)
    claimed = await lanes.claimed(4, now=10)
    assert sum(each in deferred for each in claimed) == 2


async def test_a_lane_without_turns_is_not_held_up_by_one_with(lanes: Lanes) -> None:
    fair = await lanes.enqueue(*[job(fair=key, due=-5) for key in "ab" for _ in range(3)])
    (other,) = await lanes.enqueue(job(job_type="tests.Other", due=-60))
    assert (await lanes.claimed(1)) == [other]
    assert set(await lanes.claimed()) == set(fair)


@pytest.mark.parametrize("is_direct", [True, False])
async def test_a_new_key_among_many_starts_at_once(
    lanes: Lanes, queue: DatabaseJobQueue, store: JobStore, *, is_direct: bool
) -> None:
    await lanes.enqueue(*backlog(60, 3))
    for claims in range(16):
        await run(lanes, store, 10)
        new = job(fair=f"new {claims}")
        await (queue.enqueue([new]) if is_direct else lanes.enqueue(new))
        assert (await run(lanes, store, 1)) == [new.id]


async def test_a_key_whose_job_falls_due_starts_at_once(lanes: Lanes, store: JobStore) -> None:
    await lanes.enqueue(*backlog(60, 2))
    (late,) = await lanes.enqueue(job(fair="late", due=5))
    await run(lanes, store, 10)
    await fall_due(lanes, 5)
    assert (await lanes.claimed(10, now=5))[0] == late


@pytest.mark.parametrize("way", ["completed", "failed", "snoozed", "running"])
async def test_a_key_with_one_job_after_another_gets_its_share(
    lanes: Lanes, store: JobStore, way: str
) -> None:
    """Those with a backlog are not starved by one whose next job comes when the last has ended."""
    await lanes.enqueue(*backlog(5, 20))
    own = set(await lanes.enqueue(job(fair="own")))
    turns = []
    for _ in range(36):
        (claimed,) = await lanes.claim(1)
        turns.append(claimed.lease.job_id in own)
        if turns[-1] and way == "snoozed":
            await store.release([Released(claimed.lease, START)], START)
            await fall_due(lanes)
            continue
        state = JobState.FAILED if way == "failed" else JobState.COMPLETED
        if way != "running":
            await store.end([Ended(claimed.lease, state)], START)
        if turns[-1]:
            own |= set(await lanes.enqueue(job(fair="own")))
    assert [sum(turns[each : each + 6]) for each in range(0, 36, 6)] == [1] * 6


async def test_of_one_call_the_first_of_each_key_goes_first(lanes: Lanes, store: JobStore) -> None:
    await lanes.enqueue(*backlog(4, 3))
    await run(lanes, store, 1)
    a, b, *more = await lanes.enqueue(*[job(fair=key) for key in ("a", "b", "a", "b", "a")])
    order = await run(lanes, store, 12)
    assert order[:2] == [a, b]
    assert [order.index(each) for each in more[:2]] == [9, 10]
    assert (await run(lanes, store, 10))[-1] == more[2]


async def test_turns_of_busier_times_are_not_held_against_a_key(
    lanes: Lanes, store: JobStore, deletion: RetentionStore
) -> None:
    await lanes.enqueue(*[job(fair="a") for _ in range(30)])
    await run(lanes, store, 30)
    await lanes.enqueue(*[job(fair="b") for _ in range(10)])
    (a,) = await lanes.enqueue(job(fair="a"))
    assert a in await run(lanes, store, 2)
    # Nor is anything kept of them that outlasts the jobs.
    assert await deletion.prune(JobState.COMPLETED, START + timedelta(days=1), 100) == 32
    await run(lanes, store, 10)
    (a,) = await lanes.enqueue(job(fair="a"))
    await lanes.enqueue(*[job(fair="b") for _ in range(3)])
    assert a in await run(lanes, store, 2)


async def test_cancelled_jobs_have_had_no_turn(
    lanes: Lanes, queue: DatabaseJobQueue, store: JobStore
) -> None:
    await lanes.enqueue(*backlog(2, 10))
    for id_ in await lanes.enqueue(*[job(fair="a") for _ in range(5)]):
        assert await queue.cancel(id_) is JobState.CANCELLED
    await run(lanes, store, 5)
    (a,) = await lanes.enqueue(job(fair="a"))
    assert await run(lanes, store, 1) == [a]


async def test_jobs_that_nobody_has_run_yet_start_as_they_came(lanes: Lanes) -> None:
    jobs = await lanes.enqueue(job(fair="a"), job(fair="b"))
    jobs += await lanes.enqueue(job(fair="c"), job(fair="d"))
    assert await lanes.claimed() == jobs


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_hosts_that_enqueue_for_a_new_key_at_once_wait_for_nobody(
    lanes: Lanes, queue: DatabaseJobQueue, store: JobStore, database_url: str
) -> None:
    """Calls that do not see each other each take a turn, and those after them one in a round."""
    await lanes.enqueue(*backlog(10, 3))
    await run(lanes, store, 1)
    first, second, third = (job(fair="new") for _ in range(3))
    async with jobs_database(database_url).open() as other:
        with anyio.fail_after(10):
            async with lanes.database.session() as own, other.session() as others:
                await queue.enqueue([first], own)
                await queue.enqueue([second], others)
    await lanes.enqueue(third)
    order = await run(lanes, store, 30)
    assert {first.id, second.id} == set(order[:2])
    assert order.index(third.id) == 2 + 9 + 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_hosts_that_enqueue_for_a_new_key_at_once_on_sqlite_one_goes_first(
    lanes: Lanes, queue: DatabaseJobQueue, store: JobStore, database_url: str
) -> None:
    await lanes.enqueue(*backlog(10, 3))
    await run(lanes, store, 1)
    jobs = [job(fair="new") for _ in range(3)]
    async with jobs_database(database_url).open() as other, anyio.create_task_group() as group:
        group.start_soon(queue.enqueue, [jobs[0]])
        for each in jobs[1:]:
            group.start_soon(open_store(other).insert_flowing, [each])
    order = await run(lanes, store, 40)
    assert sorted(order.index(each.id) for each in jobs) == [0, 1 + 9 + 10, 1 + 9 + 10 + 1 + 10]
