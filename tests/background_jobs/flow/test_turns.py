"""Fair jobs take turns: one tenant's many do not hold up another's one."""

from datetime import timedelta

import pytest

from background_jobs.flow.lanes import Lanes, job
from modhost_background_jobs.storage import Turns
from moving_clock import START

pytestmark = pytest.mark.anyio


async def test_the_first_of_each_goes_before_the_second_of_any(lanes: Lanes) -> None:
    a = await lanes.enqueue(*[job(fair="a", due=-60) for _ in range(3)])
    b = await lanes.enqueue(*[job(fair="b") for _ in range(2)])
    assert await lanes.claimed(2) == [a[0], b[0]]
    c = await lanes.enqueue(job(fair="c"))
    assert await lanes.claimed(3) == [a[1], b[1], c[0]]
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
    now = START + timedelta(seconds=10)
    for lane in (await lanes.store.read(now)).heads:
        await Turns(lanes.database).place_due(lane, now)
    claimed = await lanes.claimed(4, now=10)
    assert sum(each in deferred for each in claimed) == 2


async def test_a_lane_without_turns_is_not_held_up_by_one_with(lanes: Lanes) -> None:
    fair = await lanes.enqueue(*[job(fair=key, due=-5) for key in "ab" for _ in range(3)])
    (other,) = await lanes.enqueue(job(job_type="tests.Other", due=-60))
    assert (await lanes.claimed(1)) == [other]
    assert set(await lanes.claimed()) == set(fair)
