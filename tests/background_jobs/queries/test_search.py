"""Searching jobs: what is found, and by which index."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from background_jobs.queries.plans import plan_of
from background_jobs.support import add_worker, claim, jobs_database, new_job
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, JobRow
from modhost_background_jobs.queries.listing import JobCounts, JobListing
from modhost_background_jobs.queries.partitions import FEW
from modhost_background_jobs.queries.rows import rows_of
from modhost_background_jobs.queries.search import Count, JobBrowser, Search
from modhost_background_jobs.queries.search import browser as browsing
from modhost_background_jobs.queries.search.job_search import JobSearch
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.storage import JobStore, open_store
from modhost_background_jobs.storage.tables import JOBS
from moving_clock import START

pytestmark = pytest.mark.anyio

FAILED, COMPLETED, CANCELLED = JobState.FAILED, JobState.COMPLETED, JobState.CANCELLED
ERRORS = {FAILED: "ValueError: no", CANCELLED: "OSError: no"}


async def some_jobs(store: JobStore) -> dict[tuple[str, JobState], UUID]:
    """Make a job of each of two types in each of some states."""
    made = {}
    for job_type in ("tests.Job", "tests.Other"):
        for state in (FAILED, COMPLETED, CANCELLED):
            job = new_job(job_type=job_type)
            await store.insert([job])
            (claimed,) = await claim(store)
            await store.end([Ended(claimed.lease, state, ERRORS.get(state))], START)
            made[job_type, state] = job.id
        pending = new_job(job_type=job_type, due=60)
        await store.insert([pending])
        made[job_type, JobState.PENDING] = pending.id
    return made


async def test_jobs_of_a_type_are_found_in_the_order_of_their_ids_whatever_their_state(
    database: Database, store: JobStore
) -> None:
    made = await some_jobs(store)
    of_type = sorted((id_ for (name, _), id_ in made.items() if name == "tests.Job"), reverse=True)
    browser = JobBrowser(database)
    search = Search(job_type="tests.Job")
    first = await browser.older(search, None, 3)
    assert [row.id for row in first.rows] == of_type[:3]
    assert first.older == of_type[2]
    rest = await browser.older(search, of_type[2], 3)
    assert [row.id for row in rest.rows] == of_type[3:]
    back = await browser.newer(search, of_type[3], 3)
    assert [row.id for row in back.rows] == of_type[:3]
    assert await browser.count(search, 100) == Count(4, is_all=True)
    rows, total, _ = await JobListing(database).page(Selection((), "tests.Job"), 1, 2)
    assert ([row.id for row in rows], total) == (of_type[1:3], 4)


async def test_words_are_searched_in_the_errors_of_a_state_and_a_type(
    database: Database, store: JobStore
) -> None:
    made = await some_jobs(store)
    browser = JobBrowser(database)

    async def found(**conditions: Any) -> set[UUID]:
        stretch = await browser.older(Search(words="error: NO", **conditions), None, 20)
        counted = await browser.count(Search(words="error: NO", **conditions), 20)
        assert counted == Count(len(stretch.rows), is_all=True)
        return {row.id for row in stretch.rows}

    failed = {made["tests.Job", FAILED], made["tests.Other", FAILED]}
    assert await found() == failed
    assert await found(states=(FAILED,)) == failed
    assert await found(states=(CANCELLED,)) == {
        id_ for (_, s), id_ in made.items() if s is CANCELLED
    }
    assert await found(states=(COMPLETED,)) == set()
    assert await found(job_type="tests.Job") == {made["tests.Job", FAILED]}
    assert await found(job_type="tests.Other", states=(CANCELLED,)) == {
        made["tests.Other", CANCELLED]
    }
    assert await found(first=made["tests.Other", FAILED]) == {made["tests.Other", FAILED]}


async def test_a_job_that_is_deleted_while_a_page_is_read_is_not_taken_for_the_end(
    database: Database, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All jobs of a search are changed page by page: the rest was left out."""
    jobs = [new_job() for _ in range(4)]
    await store.insert(jobs)

    async def without_the_last(*asked: Any) -> list[JobRow]:
        return (await rows_of(*asked))[:-1]

    monkeypatch.setattr(browsing, "rows_of", without_the_last)
    first = await JobBrowser(database).older(Search(), None, 2)
    assert [row.id for row in first.rows] == [jobs[3].id]
    assert first.older == jobs[2].id


@pytest.mark.parametrize(
    ("search", "step"),
    [
        (Search(states=(FAILED,), job_type="a"), "finished_jobs_type (job_type=? AND state=?)"),
        (Search(job_type="a"), "finished_jobs_type (job_type=? AND state=?)"),
        (Search(states=(COMPLETED,)), "finished_jobs_state (state=?)"),
        (Search(states=(COMPLETED,), words="x"), "finished_jobs_error (state=?)"),
        (Search(states=(CANCELLED,), words="x", job_type="a"), "finished_jobs_error (state=?)"),
        (Search(words="x"), "finished_jobs_error (state=?)"),
        (Search(words="x"), "jobs_error"),
        (Search(states=(JobState.RUNNING,)), "jobs_running"),
        (Search(states=(JobState.PENDING,), words="x"), "jobs_error"),
        (Search(states=(JobState.PENDING,), job_type="a"), "jobs_claim (job_type=?)"),
        (Search(states=(JobState.PENDING,), job_type="a"), "jobs_recurring"),
        (Search(job_type="a"), "jobs_claim (job_type=?)"),
    ],
)
async def test_no_search_reads_more_than_it_shows(
    sqlite_url: str, search: Search, step: str
) -> None:
    """A search without a hit read all jobs of its state, or all of its type."""
    async with jobs_database(sqlite_url).open() as database:
        await add_worker(open_store(database))
        plan = await plan_of(database, search)
        assert step in plan, plan
        if search.job_type is not None and search.words is None:
            assert "SCAN background_jobs_jobs" not in plan, plan


async def test_many_pending_jobs_of_a_type_are_found_in_the_order_of_their_ids(
    sqlite_url: str,
) -> None:
    """By the index of their due times all of them would be sorted."""
    async with jobs_database(sqlite_url).open() as database:
        store = open_store(database)
        jobs = [new_job(job_type="a") for _ in range(FEW + 1)]
        await store.insert(jobs)
        search = Search(states=(JobState.PENDING,), job_type="a")
        found = await JobBrowser(database).older(search, None, 2)
        assert [row.id for row in found.rows] == [jobs[-1].id, jobs[-2].id]
        plan = (await plan_of(database, search)).splitlines()
        assert [step for step in plan if "INDEX" in step and "id=?" not in step][-1].endswith(
            "sqlite_autoindex_background_jobs_jobs_1"
        )


async def test_jobs_that_wait_for_a_run_before_them_are_among_those_of_their_type(
    database: Database, store: JobStore
) -> None:
    jobs = [new_job(recurring=new_id()) for _ in range(2)]
    await store.insert(jobs)
    async with database.session() as session:
        held = update(JOBS).where(JOBS.c.id == jobs[0].id).values(on_hold=True)
        await (await session.connection()).execute(held)
    for states in ((JobState.PENDING,), ()):
        rows, total, _ = await JobListing(database).page(Selection(states, "tests.Job"), 0, 20)
        found = await JobBrowser(database).older(Search(states, "tests.Job"), None, 20)
        assert [row.id for row in rows] == [job.id for job in reversed(jobs)]
        assert [row.id for row in found.rows] == [job.id for job in reversed(jobs)]
        assert total == 2
    assert (await JobListing(database).page(Selection((JobState.PENDING,)), 0, 20)).total == 2


async def test_a_long_history_is_counted_once_a_second(database: Database, store: JobStore) -> None:
    await some_jobs(store)
    counts = JobCounts(few=1, cache_seconds=60.0)
    listing = JobListing(database, counts)

    async def total() -> int:
        return (await listing.page(Selection((FAILED,)), 0, 20)).total

    assert await total() == 2
    await some_jobs(store)
    assert await total() == 2
    counts.cache_seconds = 0.0
    assert await total() == 4


@pytest.mark.parametrize(
    "text",
    [
        *("C-10172", "c0ffee", "512204", "01a2-0ac5", "01a20ac5c-7ea", "decade", f"{'01a2' * 8}0"),
        # Numbers with zeros ahead would be ids of 1970 and of decades to come, and a checksum none.
        *("00012345", "0004711", "02134567", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_words_of_hexadecimal_digits_are_words_all_the_same(text: str) -> None:
    search = JobSearch(q=text).as_search()
    assert (search.words, search.first, search.last) == (text, None, None)


@pytest.mark.parametrize("end", [6, 8, 9, 13, 14, 36])
def test_an_id_is_found_by_its_beginning(end: int) -> None:
    job_id = new_id()
    for text in (str(job_id)[:end], str(job_id)[:end].upper(), job_id.hex[:end]):
        search = JobSearch(q=text).as_search()
        assert search.words is None
        assert search.first is not None
        assert search.last is not None
        assert search.first <= job_id <= search.last
