"""Limits on how many jobs of a key run: exact, and in no other job's way."""

from datetime import timedelta

import anyio
import pytest
from sqlalchemy import delete, update

from background_jobs.flow.lanes import Lanes, ids_of, job
from background_jobs.support import add_worker, lanes_of, seen
from modhost_background_jobs.model import LimitKey, Released
from modhost_background_jobs.model.claiming.lanes import Swept
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables import LIMITS
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

A, B = ("sources", "a"), ("sources", "b")


async def test_no_more_jobs_of_a_key_are_claimed_than_its_limit(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 2)
    of_a = await lanes.enqueue(*[job(keys=[A]) for _ in range(5)])
    of_b = await lanes.enqueue(job(keys=[B]))
    first = await lanes.claim()
    assert ids_of(first) == [*of_a[:2], *of_b]
    assert await lanes.claim() == []
    await lanes.end(first[:1])
    await lanes.tend(A)
    assert await lanes.claimed() == of_a[2:3]
    assert await lanes.claim() == []


async def test_others_pass_jobs_that_a_limit_holds_back(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    held = await lanes.enqueue(*[job(keys=[A], due=-60) for _ in range(700)])
    plain = await lanes.enqueue(job(), job(priority=-5))
    assert await lanes.claimed(3) == [held[0], *plain]


async def test_a_job_counts_for_each_of_its_keys(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.add_limit("all", 2)
    both = [job(keys=[key, ("all", "")]) for key in (A, A, B, B)]
    ids = await lanes.enqueue(*both)
    first = await lanes.claim()
    assert ids_of(first) == [ids[0], ids[2]]
    await lanes.end(first[1:])
    await lanes.tend(("all", ""), B)
    assert await lanes.claimed() == [ids[3]]


async def test_a_job_that_another_key_holds_back_leaves_its_share_to_others(lanes: Lanes) -> None:
    """It was let go for the share of one key, and waits behind another one since."""
    await lanes.add_limit("sources", 1)
    await lanes.add_limit("all", 2)
    every = ("all", "")
    ids = await lanes.enqueue(*[job(keys=[every, ("sources", key)]) for key in "abbc"])
    first = await lanes.claim()
    assert ids_of(first) == ids[:2]
    await lanes.end(first[:1])
    await lanes.tend(every, A)
    assert await lanes.claim() == []
    assert await lanes.claimed() == ids[3:]


async def test_a_released_job_gives_its_share_back(lanes: Lanes, store: JobStore) -> None:
    await lanes.add_limit("sources", 1)
    ids = await lanes.enqueue(job(keys=[A]), job(keys=[A]))
    (first,) = await lanes.claim()
    again = START + timedelta(minutes=1)
    await store.release([Released(first.lease, again, "failed", spent=True)], START)
    await lanes.tend(A)
    assert await lanes.claimed() == ids[1:]
    assert await lanes.claim(now=60) == []


async def test_the_share_of_a_dead_worker_returns_with_the_rescue(
    lanes: Lanes, store: JobStore
) -> None:
    await lanes.add_limit("sources", 1)
    await add_worker(store, "w2")
    ids = await lanes.enqueue(job(keys=[A]), job(keys=[A]))
    assert await lanes.claimed() == ids[:1]
    assert await lanes.claim(worker="w2") == []
    await store.rescue(await seen(store, "w1"), 3, START)
    assert await lanes.store.sweep("", 10, START) == Swept("", freed=1)
    # It keeps its place before the one that a limit has held back.
    assert await lanes.claimed(worker="w2") == ids[:1]
    assert await lanes.claim(worker="w2") == []


async def test_a_cancelled_job_is_in_nobodys_way(lanes: Lanes, queue: DatabaseJobQueue) -> None:
    await lanes.add_limit("sources", 1)
    ids = await lanes.enqueue(*[job(keys=[A]) for _ in range(4)])
    (first,) = await lanes.claim()
    await queue.cancel(ids[1])
    await lanes.end([first])
    await lanes.tend(A)
    assert await lanes.claimed() == ids[2:3]


async def test_a_sweep_lets_go_of_what_nobody_tended(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    keys = [("sources", f"{number:03}") for number in range(30)]
    await lanes.enqueue(*[job(keys=[key]) for key in keys for _ in range(2)])
    first = await lanes.claim()
    assert len(first) == 30
    assert await lanes.claim() == []
    await lanes.end(first)
    after, freed = await lanes.store.sweep("", 20, START)
    assert after
    assert freed == 20
    assert len(await lanes.claim()) == 20
    assert await lanes.store.sweep(after, 20, START) == Swept("", freed=10)
    assert len(await lanes.claim()) == 10


async def test_a_sweep_continues_while_it_finds_much_to_let_go_of(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    keys = [("sources", f"{number:03}") for number in range(450)]
    await lanes.enqueue(*[job(keys=[key]) for key in keys for _ in range(2)])
    first = await lanes.claim()
    assert await lanes.claim() == []
    await lanes.end(first)
    known = lanes_of(lanes.database, MovingClock())
    await known.refresh()
    assert len(await lanes.claim()) == 450


async def test_held_jobs_are_let_go_in_each_lane(lanes: Lanes) -> None:
    """A job of a queue that nobody serves does not stand in the way of another queue's."""
    await lanes.add_limit("sources", 1)
    first = await lanes.enqueue(job(keys=[A], due=-9))
    mail = await lanes.enqueue(*[job(keys=[A], queue="mail", due=-5) for _ in range(2)])
    bulk = await lanes.enqueue(*[job(keys=[A], queue="bulk") for _ in range(2)])
    running = await lanes.claim()
    assert ids_of(running) == first
    await lanes.end(running)
    await lanes.tend(A)
    assert await lanes.claimed(queues=["bulk"]) == bulk[:1]
    assert await lanes.claim(queues=["mail"]) == []
    assert mail


async def test_workers_that_claim_at_the_same_time_exceed_no_limit(
    lanes: Lanes, store: JobStore
) -> None:
    await lanes.add_limit("sources", 3)
    workers = [f"worker{number}" for number in range(6)]
    for name in workers:
        await add_worker(store, name)
    keys = [("sources", f"{number}") for number in range(5)]
    for _ in range(8):
        await lanes.enqueue(*[job(keys=[key]) for key in keys for _ in range(4)])
        claimed = []

        async def claim(worker: str) -> None:
            claimed.extend(await lanes.claim(8, worker=worker))  # noqa: B023 - of this round

        async with anyio.create_task_group() as group:
            for worker in workers:
                group.start_soon(claim, worker)
        for _ in range(3):
            await lanes.store.sweep("", 100, START)
            claimed += await lanes.claim()
        counted = [sum(key[1] in (each.limits or "") for each in claimed) for key in keys]
        assert counted == [3] * 5
        await lanes.end(claimed)
        await lanes.store.sweep("", 100, START)


async def test_a_changed_limit_holds_at_the_next_claim(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    ids = await lanes.enqueue(*[job(keys=[A]) for _ in range(4)])
    assert await lanes.claimed() == ids[:1]
    async with lanes.database.session() as session:
        await (await session.connection()).execute(update(LIMITS).values(limit_override=3))
    await lanes.store.sweep("", 10, START)
    assert await lanes.claimed() == ids[1:3]


async def test_keys_that_nothing_counts_for_are_forgotten(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    keys = [("sources", f"{number}") for number in range(5)]
    await lanes.enqueue(*[job(keys=[key]) for key in keys])
    claimed = await lanes.claim()
    await lanes.end(claimed[:4])
    after: LimitKey | None = LimitKey("", "")
    while after is not None:
        after = await lanes.store.forget_keys(after, 2, START)
    assert await lanes.grants() == [keys[4]]
    ids = await lanes.enqueue(*[job(keys=[key]) for key in keys])
    assert await lanes.claimed() == ids[:4]


async def test_a_limit_that_nobody_declares_any_more_holds_nothing_back(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    ids = await lanes.enqueue(*[job(keys=[A]) for _ in range(3)])
    assert await lanes.claimed() == ids[:1]
    assert await lanes.claim() == []
    async with lanes.database.session() as session:
        await (await session.connection()).execute(delete(LIMITS))
    await lanes.store.sweep("", 10, START)
    assert await lanes.claimed() == ids[1:]


@pytest.mark.parametrize("blocked", [1, 5])
async def test_blocked_jobs_stand_before_no_other_of_their_lane_when_there_is_little_room(
    lanes: Lanes, blocked: int
) -> None:
    await lanes.add_limit("sources", 1)
    first = await lanes.enqueue(job(keys=[A], due=-9))
    assert await lanes.claimed() == first
    await lanes.enqueue(*[job(keys=[A], due=-8) for _ in range(blocked)])
    (free,) = await lanes.enqueue(job(keys=[B], due=-7))
    await lanes.enqueue(job(keys=[B], due=-6, queue="other"))
    assert await lanes.claimed(1) == [free]
