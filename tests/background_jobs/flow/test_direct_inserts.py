"""Jobs are stored alike by the bare driver, and in a transaction of the caller."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any, Literal

import anyio
import pytest
from sqlalchemy import select

from background_jobs.flow.lanes import job
from background_jobs.support import new_job
from modhost.database import Database
from modhost_background_jobs.model import NewJob, UniqueKey
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage.large_data import MAX_IN_ROW
from modhost_background_jobs.storage.tables import JOB_TAGS, JOBS
from modhost_background_jobs.storage.wakeups import wait_for

pytestmark = pytest.mark.anyio

LARGE = '"' + "x" * MAX_IN_ROW + '"'
COMPARED = (
    *("state", "data", "execute_at", "attempts_left", "on_hold", "queue", "priority", "tags"),
    *("limits", "unique_key", "fair_key", "place_at", "turn_at", "held_by"),
)


def unique(
    key: str,
    *,
    replaces: bool = False,
    until: Literal["finished", "started"] | timedelta = "finished",
    **more: Any,
) -> NewJob:
    new = job(**more)
    own = UniqueKey(digest=f"{new.job_type}{key}", until=until, replaces=replaces)
    return replace(new, flow=replace(new.flow, unique=own))


def jobs_of_all_kinds(job_type: str) -> list[list[NewJob]]:
    """The jobs of several calls."""
    tagged = job(queue="mail", priority=-3, job_type=job_type)
    tagged = replace(tagged, data='"ü\\n\'"', flow=replace(tagged.flow, tags=("a:1", "ü'", "b")))
    held = job(keys=[("crm", "a"), ("sites", "b")], job_type=job_type)
    held = replace(held, data=LARGE, flow=replace(held.flow, held_by="crm\x1fa"))
    turns = [job(fair=key, due=due, job_type=job_type) for key, due in (("a", -5), ("b", 60))]
    return [
        [tagged],
        [held, tagged_again(tagged), new_job(job_type=job_type)],
        [job(fair="a", job_type=job_type) for _ in range(3)],
        [*turns, job(fair="b", job_type=job_type), job(fair="a", priority=1, job_type=job_type)],
        [job(fair="c", job_type=job_type)],
    ]


def tagged_again(tagged: NewJob) -> NewJob:
    return replace(tagged, id=new_job().id, data=None)


async def stored(database: Database, jobs: Iterable[NewJob]) -> list[dict[str, Any]]:
    rows = []
    async with database.reading() as session:
        connection = await session.connection()
        for each in jobs:
            columns = [JOBS.c[name] for name in COMPARED]
            row = (await connection.execute(select(*columns).where(JOBS.c.id == each.id))).one()
            tags = select(JOB_TAGS.c.tag).where(JOB_TAGS.c.job_id == each.id)
            found = sorted((await connection.execute(tags)).scalars())
            rows.append({**row._mapping, "found_by": found})
    return rows


async def test_jobs_are_stored_alike_with_and_without_a_session(
    queue: DatabaseJobQueue, database: Database, details: JobDetailReader
) -> None:
    direct, joined = jobs_of_all_kinds("tests.Job"), jobs_of_all_kinds("tests.Other")
    for some in direct:
        assert await queue.enqueue(some) == [each.id for each in some]
    for some in joined:
        async with database.session() as session:
            assert await queue.enqueue(some, session) == [each.id for each in some]
    alike = [await stored(database, chain(*calls)) for calls in (direct, joined)]
    assert alike[0] == alike[1]
    assert [row["place_at"] is not None for row in alike[0]] == [False] * 4 + [True] * 4 + [
        False,
        *[True] * 3,
    ]
    assert alike[0][0]["found_by"] == ["a:1", "b", "ü'"]
    for held in (direct[1][0], joined[1][0]):
        found = await details.find(held.id)
        assert found is not None
        assert found.data == LARGE


async def test_a_unique_job_is_found_or_stored_and_wakes_workers(
    queue: DatabaseJobQueue, database: Database
) -> None:
    first, second = unique("a", fair="x"), unique("a", fair="x")
    ticket = queue._wakeups.work.ticket()
    assert await queue.enqueue([first]) == [first.id]
    assert await wait_for(ticket, 0)
    assert await queue.enqueue([second]) == [first.id]
    replacing = replace(unique("a", replaces=True, priority=7), execute_at=first.execute_at)
    assert await queue.enqueue([replacing]) == [first.id]
    (row,) = await stored(database, [first])
    assert (row["priority"], row["fair_key"]) == (7, None)


@pytest.mark.parametrize("until", ["finished", "started", timedelta(minutes=1)])
@pytest.mark.parametrize("last_replaces", [False, True])
async def test_of_one_call_there_is_one_of_a_key_whichever_of_them_replace(
    queue: DatabaseJobQueue,
    database: Database,
    until: Literal["finished", "started"] | timedelta,
    last_replaces: bool,
) -> None:
    first = unique("a", replaces=not last_replaces, until=until)
    last = unique("a", replaces=last_replaces, until=until)
    kept, left_out = (last, first) if last_replaces else (first, last)
    assert await queue.enqueue([first, last]) == [kept.id] * 2
    async with database.reading() as session:
        rows = await (await session.connection()).execute(select(JOBS.c.id))
    assert list(rows.scalars()) == [kept.id]
    assert left_out.id != kept.id


async def test_who_waits_for_keys_of_open_transactions_holds_nobody_else_up(
    queue: DatabaseJobQueue, postgres_url: str
) -> None:
    """More than there are connections for the hot path."""
    async with Database(postgres_url).open() as other, anyio.create_task_group() as group:
        async with other.session() as session:
            await queue.enqueue([unique("a")], session)
            for _ in range(12):
                group.start_soon(queue.enqueue, [unique("a")])
            await anyio.sleep(0.1)
            with anyio.fail_after(20):
                await queue.enqueue([new_job()])
                await queue.enqueue([unique("b"), unique("c")])
                await queue.enqueue([job(priority=1)])


async def test_the_order_of_calls_is_that_of_turns_in_one_commit(
    queue: DatabaseJobQueue, database: Database
) -> None:
    jobs = [job(fair="a") for _ in range(20)]
    async with anyio.create_task_group() as group:
        for each in jobs:
            group.start_soon(queue.enqueue, [each])
    places = [row["place_at"] for row in await stored(database, jobs)]
    rounds = [place.replace(microsecond=place.microsecond // 1000 * 1000) for place in places]
    assert [each - rounds[0] for each in rounds] == [timedelta(milliseconds=n) for n in range(20)]


async def test_an_id_that_is_taken_spoils_no_job_of_others(
    queue: DatabaseJobQueue, database: Database
) -> None:
    taken, good = job(priority=1), job(priority=1)
    await queue.enqueue([taken])
    refused: list[bool] = []

    async def enqueue_again() -> None:
        with pytest.raises(database.errors):
            await queue.enqueue([taken])
        refused.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(enqueue_again)
        group.start_soon(queue.enqueue, [good])
        group.start_soon(enqueue_again)
    assert len(refused) == 2
    assert len(await stored(database, [taken, good])) == 2
