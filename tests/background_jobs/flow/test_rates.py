"""Limits on how many jobs of a key start within a period, by the clock that all share."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import anyio
import pytest
from sqlalchemy import delete, select

from background_jobs.flow.lanes import MANY, Lanes, ids_of, job
from background_jobs.support import TYPES
from modhost.database import Database
from modhost_background_jobs.model import ClaimedJob
from modhost_background_jobs.model.claiming.lanes import Share, Shares
from modhost_background_jobs.storage.tables import GRANTS

pytestmark = pytest.mark.anyio

A, B = ("partner", "a"), ("partner", "b")
PERIOD = 0.4


async def claim_now(lanes: Lanes, limit: int = MANY) -> list[ClaimedJob]:
    """Claim at the present time, which a rate counts by."""
    now = datetime.now(UTC)
    await lanes.store.open_due(now)
    heads = (await lanes.store.read(now)).heads
    shares = Shares(
        types=[Share(name, 0.0, limit) for name in TYPES],
        lanes=[Share(lane.stored, 0.0, limit) for lane in heads],
        has_limits=True,
    )
    # As a worker does, whose claim begins at the time that it gives.
    return (await lanes.store.claim("w1", shares, limit, datetime.now(UTC))).jobs


async def starts(lanes: Lanes) -> list[datetime]:
    async with lanes.database.reading() as session:
        times = select(GRANTS.c.granted_at).order_by(GRANTS.c.granted_at)
        return list((await (await session.connection()).execute(times)).scalars())


async def test_no_window_of_the_period_has_more_starts_than_the_limit(lanes: Lanes) -> None:
    await lanes.add_limit("partner", 3, PERIOD)
    ids = await lanes.enqueue(*[job(keys=[A]) for _ in range(10)])
    found: list[UUID] = []
    recorded: set[datetime] = set()
    with anyio.fail_after(20):
        while len(found) < len(ids):
            claimed = await claim_now(lanes)
            found += ids_of(claimed)
            # What no longer counts is forgotten.
            recorded.update(await starts(lanes) if claimed else ())
            await anyio.sleep(0.01)
    assert found == ids
    times = sorted(recorded)
    gaps = [later - earlier for earlier, later in zip(times, times[3:], strict=False)]
    assert min(gaps) >= timedelta(seconds=PERIOD)


async def test_a_claim_that_waits_for_others_counts_from_when_it_has_its_turn(
    lanes: Lanes,
) -> None:
    """It has read the time before; by that, too many would start once it is past the wait."""
    await lanes.add_limit("partner", 1, 60)
    await lanes.enqueue(job(keys=[A]))
    others = Database(lanes.database.url)
    async with others.open(), anyio.create_task_group() as group:
        async with others.session() as session:
            connection = await session.connection()
            if others.dialect == "postgresql":
                lock = "LOCK TABLE background_jobs.limit_grants IN EXCLUSIVE MODE"
                await connection.exec_driver_sql(lock)
            else:
                await connection.execute(delete(GRANTS))
            waits_from = datetime.now(UTC)
            group.start_soon(claim_now, lanes)
            await anyio.sleep(0.3)
    (started,) = await starts(lanes)
    assert started >= waits_from + timedelta(seconds=0.29)


async def test_a_job_that_ends_at_once_counts_for_the_whole_period(lanes: Lanes) -> None:
    await lanes.add_limit("partner", 1, 60)
    ids = await lanes.enqueue(job(keys=[A]), job(keys=[A]), job(keys=[B]))
    first = await claim_now(lanes)
    assert ids_of(first) == [ids[0], ids[2]]
    await lanes.end(first)
    await lanes.tend(A)
    await lanes.store.sweep("", 10, datetime.now(UTC))
    assert await claim_now(lanes) == []


async def test_it_is_known_when_the_next_one_may_start(lanes: Lanes) -> None:
    await lanes.add_limit("partner", 2, 30)
    await lanes.enqueue(*[job(keys=[A]) for _ in range(3)])
    assert (await lanes.store.read(datetime.now(UTC))).opens_in is None
    assert len(await claim_now(lanes)) == 2
    state = await lanes.store.read(datetime.now(UTC))
    assert state.has_held
    assert state.opens_in is not None
    assert 25 < state.opens_in <= 30


async def test_a_rate_and_a_concurrency_hold_together(lanes: Lanes) -> None:
    await lanes.add_limit("partner", 2, 60)
    await lanes.add_limit("all", 1)
    ids = await lanes.enqueue(*[job(keys=[A, ("all", "")]) for _ in range(4)])
    first = await claim_now(lanes)
    assert ids_of(first) == ids[:1]
    await lanes.end(first)
    await lanes.tend(("all", ""), A)
    second = await claim_now(lanes)
    assert ids_of(second) == ids[1:2]
    await lanes.end(second)
    await lanes.tend(("all", ""), A)
    assert await claim_now(lanes) == []


async def test_records_of_starts_do_not_pile_up(lanes: Lanes) -> None:
    await lanes.add_limit("partner", 40, 0.01)
    with anyio.fail_after(30):
        for _ in range(8):
            await lanes.enqueue(*[job(keys=[A]) for _ in range(40)])
            claimed = 0
            while claimed < 40:
                claimed += len(await claim_now(lanes))
                time.sleep(0.002)  # noqa: ASYNC251 - nothing else is to happen meanwhile
    assert len(await starts(lanes)) <= 40 + 50 + 40
