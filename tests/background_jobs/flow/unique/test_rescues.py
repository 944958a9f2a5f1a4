"""Rescues, automatic retries and corrections of them never put two jobs of a key side by side."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import select

from background_jobs.support import add_worker, claim, claim_one, new_job, seen
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, Flow, LostLease, NewJob, Released, UniqueKey
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables import JOBS
from moving_clock import START

pytestmark = pytest.mark.anyio

LATER: Final = START + timedelta(seconds=30)
FINISHED: Final = Flow(unique=UniqueKey(digest="d", until="finished", replaces=False))
STARTED: Final = Flow(unique=UniqueKey(digest="d", until="started", replaces=False))


def unique_job(flow: Flow = FINISHED) -> NewJob:
    return replace(new_job(), flow=flow)


async def quarantined(store: JobStore) -> ClaimedJob:
    """Let the job's worker be taken for dead once too often."""
    await add_worker(store, "w2")
    claimed = await claim_one(store, "w2", LATER)
    assert await store.note_begin(claimed.lease)
    (rescued,) = await store.rescue(await seen(store, "w2"), 1, LATER)
    assert rescued.state is JobState.FAILED
    return claimed


async def keys(database: Database) -> dict[UUID, str]:
    async with database.reading() as session:
        reading = select(JOBS.c.id, JOBS.c.unique_key)
        return {row[0]: row[1] for row in await (await session.connection()).execute(reading)}


async def test_a_job_that_leaves_quarantine_has_its_key_again(
    database: Database, store: JobStore, queue: DatabaseJobQueue
) -> None:
    (first,) = await queue.enqueue([unique_job()])
    claimed = await quarantined(store)
    await store.take_back_rescues([LostLease(claimed.lease, counts=True)], LATER)
    assert await keys(database) == {first: "f:d"}
    assert await queue.enqueue([unique_job()]) == [first]


async def test_a_job_that_leaves_quarantine_gives_up_a_key_that_another_has(
    database: Database, store: JobStore, queue: DatabaseJobQueue
) -> None:
    (first,) = await queue.enqueue([unique_job()])
    claimed = await quarantined(store)
    (second,) = await queue.enqueue([unique_job()])
    assert second != first
    await store.take_back_rescues([LostLease(claimed.lease, counts=True)], LATER)
    assert await keys(database) == {first: "r:d", second: "f:d"}
    assert await queue.enqueue([unique_job()]) == [second]
    assert len(await claim(store, now=LATER)) == 2


async def test_two_of_a_key_that_leave_quarantine_do_not_both_have_it(
    database: Database, store: JobStore, queue: DatabaseJobQueue
) -> None:
    ids, lost = [], []
    for _ in range(2):
        ids += await queue.enqueue([unique_job()])
        lost.append(LostLease((await quarantined(store)).lease, counts=True))
    await store.take_back_rescues(lost, LATER)
    assert sorted((await keys(database)).values()) == ["f:d", "r:d"]


async def test_a_rescue_and_a_retry_keep_the_key(
    database: Database, store: JobStore, queue: DatabaseJobQueue
) -> None:
    (first,) = await queue.enqueue([unique_job()])
    await add_worker(store, "w2")
    await claim_one(store, "w2", LATER)
    await store.rescue(await seen(store, "w2"), 3, LATER)
    assert await queue.enqueue([unique_job()]) == [first]
    claimed = await claim_one(store, now=LATER)
    await store.release([Released(claimed.lease, LATER, "failed", spent=True)], LATER)
    assert await queue.enqueue([unique_job()]) == [first]


async def test_a_job_that_has_started_once_leaves_its_key_when_it_is_unique_until_then(
    database: Database, store: JobStore, queue: DatabaseJobQueue
) -> None:
    (first,) = await queue.enqueue([unique_job(STARTED)])
    claimed = await claim_one(store, now=LATER)
    (second,) = await queue.enqueue([unique_job(STARTED)])
    assert second != first
    await store.release([Released(claimed.lease, LATER, "failed", spent=True)], LATER)
    assert await keys(database) == {first: "r:d", second: "s:d"}
    assert await queue.enqueue([unique_job(STARTED)]) == [second]
    assert len(await claim(store, now=LATER)) == 2
    assert await keys(database) == {first: "r:d", second: "r:d"}
