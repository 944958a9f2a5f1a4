"""Notifications of new jobs on PostgreSQL: at once after a pause, one for many within a burst."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import Probe
from background_jobs.support import jobs_database, new_job
from modhost_background_jobs.storage import JobStore, open_store
from modhost_background_jobs.storage.dialects import CHANNEL
from modhost_background_jobs.storage.postgres.notifications import Notifications
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def burst(url: str) -> AsyncIterator[tuple[JobStore, Notifications]]:
    """A store that takes all its inserts for one burst, since its clock stands still."""
    async with jobs_database(url).open() as database:
        notifications = Notifications(database, MovingClock())
        async with anyio.create_task_group() as group:
            await group.start(lambda *, task_status: notifications.run(task_status=task_status))
            yield open_store(database, notifications), notifications
            group.cancel_scope.cancel()


def has_ended(probe: Probe, times: int) -> bool:
    return probe.finished["job"] == times


async def test_the_last_of_a_burst_wakes_a_consumer_that_does_not_poll(postgres_url: str) -> None:
    async with (
        jobs_host(postgres_url, poll_interval="60s") as jobs,
        burst(postgres_url) as (store, _),
    ):
        job_type = "tests.ReportingJob"
        for ended in range(1, 4):
            await store.insert([new_job(job_type=job_type, data="{}")])
            await jobs.probe.until(partial(has_ended, jobs.probe, ended))


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[list[str]]:
    """What is heard of new jobs."""
    heard: list[str] = []
    async with jobs_database(url).open() as database:
        connection = await database.postgres.connect()
        try:
            await connection.add_listener(CHANNEL, lambda *_: heard.append("due"))
            yield heard
        finally:
            await connection.close()


async def until_heard(heard: list[str], times: int) -> None:
    with anyio.fail_after(10):
        while len(heard) < times:
            await anyio.sleep(0.005)


async def test_a_burst_of_inserts_is_announced_at_its_begin_and_at_its_end(
    postgres_url: str,
) -> None:
    async with burst(postgres_url) as (store, _), listening(postgres_url) as heard:
        await store.insert([new_job()])
        await until_heard(heard, 1)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(store.insert, [new_job()])
        await until_heard(heard, 2)
        assert len(heard) < 20


async def test_without_anybody_who_sends_what_is_owed_every_insert_notifies(
    postgres_url: str,
) -> None:
    async with jobs_database(postgres_url).open() as database:
        notifications = Notifications(database, MovingClock())
        assert [notifications.is_due() for _ in range(3)] == [True, True, True]


async def test_what_is_owed_at_the_end_is_sent_then(postgres_url: str) -> None:
    async with listening(postgres_url) as heard:
        async with burst(postgres_url) as (_, notifications):
            notifications.owe()
        await until_heard(heard, 1)
