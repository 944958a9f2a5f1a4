"""Searching jobs: what is found, and by which index."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from background_jobs.support import START, add_worker, claim, migrated, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queue.browsing import JobBrowser, Search
from modhost_background_jobs.queue.listing import JobListing
from modhost_background_jobs.queue.open_store import open_store
from modhost_background_jobs.queue.records import Ended
from modhost_background_jobs.queue.store import JobStore

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


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collect what is sent to the database."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def plan_of(database: Database, search: Search) -> str:
    """Return how SQLite finds the jobs of a search."""
    with statements() as sent:
        await JobBrowser(database).older(search, None, 20)
    statement, parameters = sent[-1]
    async with database.reading() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row.detail for row in rows)


async def test_jobs_of_a_type_are_found_in_the_order_of_their_ids_whatever_their_state(
    database: Database, store: JobStore
) -> None:
    made = await some_jobs(store)
    of_type = sorted((id_ for (name, _), id_ in made.items() if name == "tests.Job"), reverse=True)
    browser = JobBrowser(database)
    search = Search(job_type="tests.Job")
    first = await browser.older(search, None, 3)
    assert [row["id"] for row in first.rows] == of_type[:3]
    assert first.has_older
    rest = await browser.older(search, of_type[2], 3)
    assert [row["id"] for row in rest.rows] == of_type[3:]
    back = await browser.newer(search, of_type[3], 3)
    assert [row["id"] for row in back.rows] == of_type[:3]
    assert await browser.count(search, 100) == 4
    rows, total = await JobListing(database).page(None, "tests.Job", offset=1, limit=2)
    assert ([row["id"] for row in rows], total) == (of_type[1:3], 4)


async def test_words_are_searched_in_the_errors_of_a_state_and_a_type(
    database: Database, store: JobStore
) -> None:
    made = await some_jobs(store)
    browser = JobBrowser(database)

    async def found(**conditions: Any) -> set[UUID]:
        stretch = await browser.older(Search(words="error: NO", **conditions), None, 20)
        assert await browser.count(Search(words="error: NO", **conditions), 20) == len(stretch.rows)
        return {row["id"] for row in stretch.rows}

    failed = {made["tests.Job", FAILED], made["tests.Other", FAILED]}
    assert await found() == failed
    assert await found(state=FAILED) == failed
    assert await found(state=CANCELLED) == {id_ for (_, s), id_ in made.items() if s is CANCELLED}
    assert await found(state=COMPLETED) == set()
    assert await found(job_type="tests.Job") == {made["tests.Job", FAILED]}
    assert await found(job_type="tests.Other", state=CANCELLED) == {made["tests.Other", CANCELLED]}
    assert await found(first=made["tests.Other", FAILED]) == {made["tests.Other", FAILED]}


@pytest.mark.parametrize(
    ("search", "step"),
    [
        (Search(state=FAILED, job_type="a"), "finished_jobs_type (job_type=? AND state=?)"),
        (Search(job_type="a"), "finished_jobs_type (job_type=? AND state=?)"),
        (Search(state=COMPLETED), "finished_jobs_state (state=?)"),
        (Search(state=COMPLETED, words="x"), "finished_jobs_error (state=?)"),
        (Search(state=CANCELLED, words="x", job_type="a"), "finished_jobs_error (state=?)"),
        (Search(words="x"), "finished_jobs_error (state=?)"),
        (Search(words="x"), "jobs_error"),
        (Search(state=JobState.RUNNING), "jobs_running"),
        (Search(state=JobState.PENDING, words="x"), "jobs_error"),
    ],
)
async def test_no_search_reads_more_than_it_shows(
    sqlite_url: str, search: Search, step: str
) -> None:
    """A search without a hit read all jobs of its state, or all of its type."""
    async with Database(sqlite_url).open() as database:
        await migrated(database)
        await add_worker(open_store(database))
        plan = await plan_of(database, search)
        assert step in plan, plan
