"""Enqueues of one key that meet: on several hosts, in open transactions, and by thousands."""

from contextlib import suppress
from typing import Any

import anyio
import pytest

from background_jobs.flow.unique.feed_jobs import (
    ALL,
    Feed,
    KeptJob,
    host,
    number,
)
from background_jobs.hosts import Jobs
from modhost.database import Database
from modhost_background_jobs.contracts import (
    JobId,
)

pytestmark = pytest.mark.anyio


async def test_hosts_that_enqueue_one_key_at_the_same_time_store_one_job(
    database_url: str,
) -> None:
    async with host(database_url) as one, host(database_url) as two, host(database_url) as three:
        for job in ALL:
            ids: list[JobId] = []

            async def enqueue(jobs: Jobs, feed_id: int, job: Any = job, ids: Any = ids) -> None:
                items = [Feed(feed_id=feed_id), Feed(feed_id=-feed_id)]
                ids += await jobs.scheduling.enqueue_many(job, items)

            async with anyio.create_task_group() as group:
                for at in range(12):
                    group.start_soon(enqueue, (one, two, three)[at % 3], 7 if at % 2 else -7)
            assert len(set(ids)) == 2, job
        assert await number(one) == 2 * len(ALL)


@pytest.mark.parametrize("is_kept", [True, False])
async def test_an_enqueue_waits_for_the_open_transaction_that_has_its_key(
    database_url: str, is_kept: bool
) -> None:
    class Undone(Exception):
        pass

    async with host(database_url) as one, host(database_url) as two:
        ids: list[JobId] = []

        async def enqueue() -> None:
            ids.append(await two.scheduling.enqueue(KeptJob, Feed(feed_id=1)))

        database = await one.service(Database)
        async with anyio.create_task_group() as group:
            with suppress(Undone):
                async with database.session() as session:
                    first = await one.scheduling.enqueue(KeptJob, Feed(feed_id=1), session=session)
                    group.start_soon(enqueue)
                    await anyio.sleep(0.3)
                    assert ids == []
                    if not is_kept:
                        raise Undone
        assert (ids == [first]) == is_kept
        assert await number(one) == 1


async def test_thousands_of_one_call_are_compared_with_those_that_are_there(
    database_url: str,
) -> None:
    async with host(database_url) as jobs:
        items = [Feed(feed_id=number) for number in range(1_500)]
        first = await jobs.scheduling.enqueue_many(KeptJob, items[::2])
        ids = await jobs.scheduling.enqueue_many(KeptJob, items)
        assert ids[::2] == first
        assert len(set(ids)) == 1_500
