"""The order of claims: priority, then due time, then id; who waits gains on later ones."""

import pytest

from background_jobs.flow.lanes import HOUR, Lanes, job
from background_jobs.support import add_worker
from modhost_background_jobs.storage import JobStore

pytestmark = pytest.mark.anyio


async def test_a_higher_priority_goes_first_and_equal_ones_by_due_time_and_id(
    lanes: Lanes,
) -> None:
    plain, high, earlier, low, second = [
        job(due=-5),
        job(priority=10),
        job(priority=10, due=-60),
        job(priority=-1, due=-10),
        job(priority=10),
    ]
    await lanes.enqueue(plain, low, high, earlier, second)
    ids = [each.id for each in (earlier, high, second, plain, low)]
    assert await lanes.claimed(3) == ids[:3]
    assert await lanes.claimed() == ids[3:]


async def test_a_job_that_waits_gains_a_point_with_each_interval(lanes: Lanes) -> None:
    old = job(due=-3 * HOUR)
    new = job(priority=2)
    await lanes.enqueue(new, old)
    assert await lanes.claimed(1) == [old.id]
    later = job(priority=4)
    await lanes.enqueue(later)
    assert await lanes.claimed() == [later.id, new.id]


async def test_without_aging_priority_is_strict(lanes: Lanes) -> None:
    old, new = job(due=-1000 * HOUR), job(priority=1)
    await lanes.enqueue(old, new)
    assert await lanes.claimed(aging=1e10) == [new.id, old.id]


async def test_deferred_jobs_of_any_priority_are_left(lanes: Lanes) -> None:
    later, due = job(priority=100, due=60), job(priority=-100)
    await lanes.enqueue(*[job(priority=100, due=60 + each) for each in range(20)], later, due)
    assert await lanes.claimed() == [due.id]
    assert later.id in await lanes.claimed(now=60)


async def test_queues_share_one_order_and_some_can_be_left_out(lanes: Lanes) -> None:
    first, second, third = job(queue="mail", due=-3), job(queue="bulk", due=-2), job(due=-1)
    await lanes.enqueue(third, second, first)
    assert await lanes.claimed(1, queues=["bulk"]) == [second.id]
    assert await lanes.claimed() == [first.id, third.id]


async def test_many_lanes_are_claimed_in_order_in_small_steps(lanes: Lanes) -> None:
    jobs = [
        job(queue=f"q{each % 5}", priority=each % 3, due=-(each * 7 % 100), job_type=kind)
        for each in range(60)
        for kind in ("tests.Job", "tests.Other")
    ]
    await lanes.enqueue(*jobs)
    ranks = {each.id: each.execute_at.timestamp() - HOUR * each.flow.priority for each in jobs}
    found = []
    while claimed := await lanes.claimed(7):
        found += claimed
    assert found == sorted(found, key=lambda id_: (ranks[id_], id_))
    assert len(found) == len(jobs)


async def test_a_worker_that_is_not_registered_gets_nothing(lanes: Lanes, store: JobStore) -> None:
    await lanes.enqueue(job(queue="mail"))
    assert await lanes.claimed(worker="w2") == []
    await add_worker(store, "w2")
    assert len(await lanes.claimed(worker="w2")) == 1
