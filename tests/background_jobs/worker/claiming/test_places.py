"""Where quick jobs and slow ones mix, what a worker claims starts soon, and in order."""

import time
from datetime import UTC, datetime, timedelta
from typing import cast

import anyio
import pytest
from sqlalchemy import func, select

from background_jobs.hosts import jobs_host
from modhost.database import Database
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob
from modhost_background_jobs.storage.tables import FINISHED
from modhost_background_jobs.worker.claiming.prefetch import MAX_PREFETCH, Prefetch

pytestmark = pytest.mark.anyio

SLOTS = 4
JOBS = 240
BEGUN: list[int] = []


class MixedJob(ModuleJob):
    """Every twentieth job takes as long as hundreds of the others."""

    async def execute(self, context: JobExecutionContext) -> None:
        number = context.get_data(int)
        BEGUN.append(number)
        await anyio.sleep(1.2 if number % 20 == 0 else 0.002)


async def test_jobs_of_mixed_lengths_are_claimed_once_and_run_in_order(database_url: str) -> None:
    """Of 2,766 jobs 1,147 were claimed more than once, each behind all that was due by then."""
    BEGUN.clear()
    due = datetime.now(UTC) - timedelta(minutes=5)
    async with jobs_host(
        database_url, mode="Producer", more_jobs=[MixedJob], max_concurrency=SLOTS
    ) as producer:
        for number in range(JOBS):
            at = due + timedelta(milliseconds=number)
            id_ = await producer.scheduling.schedule(MixedJob, at, number)
    began = time.monotonic()
    async with jobs_host(database_url, more_jobs=[MixedJob], max_concurrency=SLOTS) as jobs:
        await jobs.ends(id_)
        await jobs.probe.until(lambda: len(BEGUN) >= JOBS)
        database = await jobs.service(Database)
        async with database.reading() as session:
            claims = select(func.max(FINISHED.c.fence - 1))
            again = cast("int", (await (await session.connection()).execute(claims)).scalar_one())
    # The due times were far enough in the past for a job that lost its place to be the last one.
    early = max(place - number for place, number in enumerate(BEGUN))
    late = max(number - place for place, number in enumerate(BEGUN))
    # After jobs came back none is claimed ahead for a second, then for two, for four: how many
    # come back depends on the machine, and how often on the time.
    assert 2 ** (again - 1) - 1 <= time.monotonic() - began
    assert max(early, late) <= JOBS / 6


def test_a_worker_claims_ahead_what_has_just_finished() -> None:
    prefetch = Prefetch(SLOTS)
    assert prefetch.size(1.0) == 0
    for _ in range(MAX_PREFETCH + 1):
        prefetch.note(1.01)
    assert prefetch.size(1.05) == MAX_PREFETCH
    assert prefetch.size(2.0) == 0


def test_while_long_jobs_leave_few_slots_nothing_is_claimed_ahead() -> None:
    prefetch = Prefetch(8)
    for _ in range(20):
        prefetch.note(1.01)
    for count, size in ((0, 20), (5, 20), (6, 0), (8, 0), (2, 20)):
        prefetch.note_long(count)
        assert prefetch.size(1.05) == size
    single = Prefetch(1)
    single.note(1.01)
    assert single.size(1.05) == 1


def test_after_a_delay_nothing_is_claimed_ahead_for_longer_each_time() -> None:
    prefetch, now = Prefetch(SLOTS), 100.0
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        prefetch.note_delay(now)
        prefetch.note_delay(now + 0.5 * pause)
        for _ in range(5):
            prefetch.note(now + pause - 0.05)
        assert prefetch.size(now + pause - 0.04) == 0
        now += pause
        assert prefetch.size(now + 0.01) == 5
    now += 61
    prefetch.note_delay(now)
    prefetch.note(now + 1)
    assert prefetch.size(now + 1) == 1
