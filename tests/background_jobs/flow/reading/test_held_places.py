"""The place of a job among those that a key holds back, counted by an index alone."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

from background_jobs.flow.lanes import HOUR, Lanes, job
from background_jobs.queries.plans import plans_of, postgres_plans_of, statements
from modhost_background_jobs.model import LimitKey
from modhost_background_jobs.queries.held_places import HeldPlaces
from modhost_background_jobs.queries.listing import JobListing
from moving_clock import START

pytestmark = pytest.mark.anyio

A, B = ("crm", "a"), ("crm", "b")


async def hold_back(lanes: Lanes, count: int, *, seed: int) -> list[UUID]:
    """Let one job of the key run, and hold others of several priorities back; return those."""
    await lanes.add_limit("crm", 1)
    chance = random.Random(seed)  # noqa: S311
    await lanes.enqueue(job(keys=[A], due=-(10**6), priority=100))
    assert len(await lanes.claim()) == 1
    ids = await lanes.enqueue(
        *[
            job(
                keys=[A],
                due=-chance.choice([0, 60, 600, 6000, 60_000]),
                priority=chance.choice([-2, 0, 0, 0, 3]),
                job_type=chance.choice(["tests.Job", "tests.Other"]),
            )
            for _ in range(count)
        ]
    )
    # Each claim that finds the key full holds some of them back.
    for _ in range(count):
        await lanes.claim()
    return ids


@pytest.mark.parametrize("aging", [HOUR, 10**9, 0.0])
async def test_the_place_is_that_in_the_order_of_starts(lanes: Lanes, aging: float) -> None:
    ids = await hold_back(lanes, 30, seed=int(aging) % 97)
    rows = await JobListing(lanes.database).by_ids(ids)
    assert {row.held_by for row in rows} == {LimitKey(*A).stored}
    places = await HeldPlaces(lanes.database).of(rows, timedelta(seconds=aging))
    boost = aging or 10**10
    ranks = {row.id: row.execute_at.timestamp() - row.priority * boost for row in rows}
    for row in rows:
        place = places[row.id]
        assert (place.key, place.limit, place.running) == (LimitKey(*A), 1, 1)
        # Of two lanes with jobs that are due at the very same moment, either may go first.
        least = sum(rank < ranks[row.id] for rank in ranks.values())
        most = sum(rank <= ranks[row.id] for rank in ranks.values())
        assert least <= place.before < most


async def test_what_is_before_a_job_is_counted_up_to_a_bound(lanes: Lanes) -> None:
    ids = await hold_back(lanes, 10, seed=1)
    rows = await JobListing(lanes.database).by_ids(ids)
    reader = HeldPlaces(lanes.database, max_counted=3)
    places = (await reader.of(rows, timedelta(hours=1))).values()
    assert max(place.before for place in places) == 3
    assert {place.is_capped for place in places} == {True, False}


async def test_many_places_take_few_statements_that_read_no_other_jobs(lanes: Lanes) -> None:
    ids = await hold_back(lanes, 20, seed=2)
    rows = await JobListing(lanes.database).by_ids(ids)
    with statements() as sent:
        assert len(await HeldPlaces(lanes.database).of(rows, timedelta(hours=1))) == 20
    selects = [each for each in sent if each[0].startswith(("SELECT", "WITH"))]
    assert len(selects) <= 4
    if lanes.database.dialect == "postgresql":
        assert "Seq Scan on jobs" not in await postgres_plans_of(lanes.database, selects)
    else:
        plan = "\n".join(await plans_of(lanes.database, selects))
        assert "jobs_held (held_by=? AND lane=?" in plan
        assert "SCAN background_jobs_jobs" not in plan


async def test_a_job_that_nothing_holds_back_has_no_place(lanes: Lanes) -> None:
    await lanes.add_limit("crm", 1)
    ids = await lanes.enqueue(job(keys=[A]), job(keys=[B]), job(), job(priority=3))
    rows = await JobListing(lanes.database).by_ids(ids)
    with statements() as sent:
        assert await HeldPlaces(lanes.database).of(rows, timedelta(0)) == {}
    assert sent == []
    assert rows[0].execute_at == START
