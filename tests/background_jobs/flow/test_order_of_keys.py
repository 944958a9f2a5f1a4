"""Jobs of one key start in their order, whatever else happens at the same time.

Those that come late were enqueued before, and have fallen due since: others wait at once.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from background_jobs.flow.lanes import Lanes, ids_of, job
from modhost_background_jobs.storage.postgres.lanes.store import PostgresLaneStore
from modhost_background_jobs.storage.tables import JOBS
from moving_clock import START

pytestmark = pytest.mark.anyio
of_postgres = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

A, B = ("sources", "a"), ("sources", "b")


async def test_a_job_that_comes_when_a_key_is_free_again_waits_for_held_ones(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]), job(keys=[A]))
    assert await lanes.claim() == []
    await lanes.end(running)
    (last,) = await lanes.enqueue(job(keys=[A], due=1))
    started = []
    while claimed := await lanes.claim(now=1):
        started += ids_of(claimed)
        await lanes.end(claimed)
        await lanes.tend(A)
    assert started == [*held, last]


async def test_a_job_waits_at_once_behind_others_that_a_limit_holds_back(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    more = [job(keys=[A, B]), job(keys=[A], due=60), job(keys=[B]), job(keys=[A], queue="bulk")]
    ids = await lanes.enqueue(*more)
    heads = (await lanes.store.read(START)).heads
    assert {lane.queue: place for lane, place in heads.items()} == {
        "default": more[2].execute_at,
        "bulk": more[3].execute_at,
    }
    assert await lanes.claimed() == ids[2:3]
    await lanes.end(running)
    await lanes.tend(A)
    assert await lanes.claimed(queues=["default"]) == held


async def test_a_job_that_comes_before_all_held_ones_does_not_wait_for_them(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    earlier = await lanes.enqueue(job(keys=[A], due=-5))
    await lanes.end(running)
    assert await lanes.claimed() == earlier


async def test_a_job_takes_what_room_held_ones_leave(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 2)
    await lanes.enqueue(job(keys=[A]), job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    await lanes.end(running)
    last = await lanes.enqueue(job(keys=[A], due=1), job(keys=[A], due=1))
    assert await lanes.claimed(now=1) == held
    assert await lanes.claimed(now=1) == last[:1]


async def test_jobs_of_other_keys_wait_for_nobody(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A], due=-5))
    assert await lanes.claim() == []
    await lanes.end(running)
    _, other = await lanes.enqueue(job(keys=[A], due=1), job(keys=[B]))
    assert await lanes.claimed(now=1) == [other, *held]


async def test_a_held_job_of_a_higher_priority_goes_first(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A], priority=10))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A], priority=10))
    assert await lanes.claim() == []
    await lanes.end(running)
    await lanes.enqueue(job(keys=[A], priority=10, due=1), job(keys=[A]))
    assert await lanes.claimed(now=1) == held


async def test_a_held_job_goes_first_among_many_lanes(lanes: Lanes) -> None:
    """Many lanes are searched otherwise than few."""
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    await lanes.end(running)
    others = [job(keys=[B], priority=-each, due=1) for each in range(1, 20)]
    later, *free = await lanes.enqueue(job(keys=[A], due=1), *others)
    claimed = await lanes.claimed(now=1)
    assert later not in claimed
    assert set(held) < set(claimed) <= {*held, *free}


async def test_a_held_job_of_a_queue_that_is_not_served_is_in_nobodys_way(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    await lanes.enqueue(job(keys=[A], queue="bulk", due=-5))
    assert await lanes.claim() == []
    await lanes.end(running)
    last = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claimed(queues=["default"]) == last


async def test_a_job_that_waits_behind_another_key_too_holds_nobody_up(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.add_limit("all", 2)
    every = ("all", "")
    await lanes.enqueue(job(keys=[every, A]), job(keys=[every, ("sources", "x")]))
    running = await lanes.claim()
    await lanes.enqueue(job(keys=[every, A]))
    assert await lanes.claim() == []
    await lanes.end(running[1:])
    # The one before it is let go of by one key, and held back by the other one.
    last = await lanes.enqueue(job(keys=[every, B], due=1))
    assert await lanes.claimed(now=1) + await lanes.claimed(now=1) == last


async def test_a_start_under_a_rate_is_for_the_job_that_has_waited(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1, period=60)
    await lanes.enqueue(job(keys=[A]))
    await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    await lanes.forget_grants()
    await lanes.enqueue(job(keys=[A], due=1))
    assert await lanes.claimed(now=1) == held


@of_postgres
async def test_a_held_job_that_somebody_has_locked_is_waited_for_in_calm(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    await lanes.end(running)
    async with _locked(lanes, held):
        (last,) = await lanes.enqueue(job(keys=[A], due=1))
        assert await lanes.claim(now=1) == []
        # Held back as well: no claim comes across it again and again.
        assert (await lanes.store.read(START)).heads == {}
    await lanes.tend(A)
    (first,) = await lanes.claim()
    assert [first.lease.job_id] == held
    await lanes.end([first])
    await lanes.tend(A)
    assert await lanes.claimed(now=1) == [last]


@of_postgres
async def test_nobody_passes_a_job_of_the_key_that_somebody_has_locked(lanes: Lanes) -> None:
    await lanes.add_limit("sources", 1)
    first, last, other = await lanes.enqueue(job(keys=[A]), job(keys=[A]), job(keys=[B]))
    async with _locked(lanes, [first]):
        assert await lanes.claimed() == [other]
    assert await lanes.claimed() == [first]
    assert last


@of_postgres
async def test_nobody_passes_a_job_that_is_let_go_in_the_middle_of_a_claim(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanes.add_limit("sources", 1)
    await lanes.enqueue(job(keys=[A]))
    running = await lanes.claim()
    held = await lanes.enqueue(job(keys=[A]))
    assert await lanes.claim() == []
    await lanes.end(running)
    await lanes.enqueue(job(keys=[A], due=1))
    usage = PostgresLaneStore._usage

    async def tend_and_count(store: PostgresLaneStore, *arguments: Any) -> Any:
        await lanes.tend(A)
        return await usage(store, *arguments)

    monkeypatch.setattr(PostgresLaneStore, "_usage", tend_and_count)
    assert await lanes.claimed(now=1) == held


@asynccontextmanager
async def _locked(lanes: Lanes, ids: Sequence[UUID]) -> AsyncIterator[None]:
    """Lock jobs as a transaction does that changes them."""
    async with lanes.database.session() as session:
        rows = select(JOBS.c.id).where(JOBS.c.id.in_(ids)).with_for_update()
        await (await session.connection()).execute(rows)
        yield
