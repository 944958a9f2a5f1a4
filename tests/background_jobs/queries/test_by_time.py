"""Finished jobs in the order of their ends: what is found, page by page, and by which index."""

from datetime import timedelta
from uuid import UUID

import pytest

from background_jobs.queries.plans import plan_of, postgres_plans_of, statements
from background_jobs.support import add_worker, claim, jobs_database, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queries.search import Count, JobBrowser, Order, Search
from modhost_background_jobs.storage import JobStore, open_store
from moving_clock import START

pytestmark = pytest.mark.anyio

FAILED, COMPLETED = JobState.FAILED, JobState.COMPLETED
BY_END = Order.FINISHED
TRACEBACK = "ValueError: no\nTraceback (most recent call last):\n  File charge.py"


async def finished(store: JobStore, minutes: list[int], job_type: str = "tests.Job") -> list[UUID]:
    """Make jobs that ended so many minutes after the start, every other one failed."""
    made = [new_job(job_type=job_type) for _ in minutes]
    await store.insert(made)
    leases = {claimed.lease.job_id: claimed.lease for claimed in await claim(store)}
    for number, (job, minute) in enumerate(zip(made, minutes, strict=True)):
        error = TRACEBACK if number % 2 else None
        end = Ended(leases[job.id], FAILED if error else COMPLETED, error)
        await store.end([end], START + timedelta(minutes=minute))
    return [job.id for job in made]


async def test_all_pages_forth_and_back_have_each_job_once(
    database: Database, store: JobStore
) -> None:
    """Several ended at the same moment."""
    ids = await finished(store, [3, 1, 2, 2, 2, 0, 4])
    await store.insert([new_job()])
    wanted = [ids[6], ids[0], *sorted(ids[2:5], reverse=True), ids[1], ids[5]]
    browser, search = JobBrowser(database), Search(order=BY_END)
    page = await browser.older(search, None, 2)
    found = [row.id for row in page.rows]
    assert page.newer is None
    while page.older is not None:
        page = await browser.older(search, page.older, 2)
        found += [row.id for row in page.rows]
    assert found == wanted
    back = await browser.newer(search, wanted[4], 3)
    assert [row.id for row in back.rows] == wanted[1:4]


async def test_jobs_are_found_by_when_they_finished(database: Database, store: JobStore) -> None:
    ids = await finished(store, [3, 1, 2])
    others = await finished(store, [2], "tests.Other")
    since, until = (START + timedelta(minutes=minute) for minute in (1, 3))
    browser = JobBrowser(database)

    async def found(**more: object) -> list[UUID]:
        search = Search(order=BY_END, since=since, until=until, **more)  # type: ignore[arg-type]
        rows = (await browser.older(search, None, 20)).rows
        # All of a search are changed in the order of their ids.
        assert await browser.count(search, 20) == Count(len(rows), is_all=True)
        return [row.id for row in rows]

    assert await found() == [others[0], ids[2], ids[1]]
    assert await found(job_type="tests.Job") == [ids[2], ids[1]]
    assert await found(states=(FAILED,)) == [ids[1]]
    assert await found(states=(JobState.PENDING,)) == []
    assert await found(queue="bulk") == []
    assert await found(first=ids[1], last=ids[1]) == [ids[1]]


async def test_other_conditions_are_checked_of_a_bounded_number_at_a_time(
    database: Database, store: JobStore
) -> None:
    (old,) = await finished(store, [0], "tests.Other")
    ids = await finished(store, [1, 2, 3, 4, 5])
    browser = JobBrowser(database, checked_at_once=3)
    search = Search(order=BY_END, job_type="tests.Other")
    first = await browser.older(search, None, 20)
    assert (first.rows, first.older) == ([], ids[2])
    second = await browser.older(search, first.older, 20)
    assert [row.id for row in second.rows] == [old]


async def test_words_are_those_of_the_first_line_unless_tracebacks_are_asked_for(
    database: Database, store: JobStore
) -> None:
    _, failed = await finished(store, [0, 1])
    browser = JobBrowser(database)
    for order in (Order.CREATED, Order.FINISHED):
        for words, in_tracebacks, wanted in (
            ("valueerror: NO", False, [failed]),
            ("charge.py", False, []),
            ("charge.py", True, [failed]),
        ):
            search = Search(words=words, in_tracebacks=in_tracebacks, order=order)
            assert [row.id for row in (await browser.older(search, None, 20)).rows] == wanted


@pytest.mark.parametrize("more", [{}, {"since": START, "until": START + timedelta(days=1)}])
async def test_finished_jobs_are_read_by_the_index_of_their_ends(
    database_url: str, more: dict[str, object]
) -> None:
    async with jobs_database(database_url).open() as database:
        store = open_store(database)
        await add_worker(store)
        (place, _) = await finished(store, [0, 1])
        search = Search(states=(FAILED,), order=BY_END, **more)  # type: ignore[arg-type]
        if database.dialect == "sqlite":
            plan = await plan_of(database, search)
        else:
            with statements() as sent:
                await JobBrowser(database).older(search, place, 20)
            plan = await postgres_plans_of(database, sent)
        assert "finished_jobs_completed" in plan, plan
        assert "SCAN background_jobs_finished" not in plan
        assert "Seq Scan" not in plan
