"""Words of errors have no index: each request searches a bounded number of errors."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.support import claim, new_job
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.bulk.change import BulkChange, Change
from modhost_background_jobs.bulk.changes import BulkChanges
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.queries.search import Count, JobBrowser, Order, Search
from modhost_background_jobs.queries.search.job_search import JobSearch
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

FAILED = JobState.FAILED


async def failed_jobs(store: JobStore, errors: Sequence[str]) -> list[UUID]:
    """Make jobs that failed, the newest last."""
    made = [new_job() for _ in errors]
    await store.insert(made)
    leases = {claimed.lease.job_id: claimed.lease for claimed in await claim(store)}
    await store.end(
        [Ended(leases[job.id], FAILED, error) for job, error in zip(made, errors, strict=True)],
        START,
    )
    return [job.id for job in made]


async def test_words_are_searched_in_a_bounded_number_of_errors_at_a_time(
    database: Database, store: JobStore
) -> None:
    """However long the history, and however seldom the words, each look is as long."""
    old, *others, new = await failed_jobs(store, ["sought", *["other"] * 6, "sought"])
    browser, search = JobBrowser(database, batch_size=3), Search(words="sought")
    first = await browser.older(search, None, 20)
    assert ([row.id for row in first.rows], first.older) == ([new], others[4])
    second = await browser.older(search, first.older, 20)
    assert (second.rows, second.older) == ([], others[1])
    third = await browser.older(search, second.older, 20)
    assert ([row.id for row in third.rows], third.older) == ([old], None)
    back = await browser.newer(search, old, 20)
    assert (back.rows, back.newer) == ([], others[2])
    again = await browser.newer(search, others[4], 20)
    assert ([row.id for row in again.rows], again.newer) == ([new], None)


async def test_no_match_is_skipped_where_one_state_has_more_errors_than_the_other(
    database: Database, store: JobStore
) -> None:
    failed = await failed_jobs(store, ["sought", "other", "sought", "other", "other"])
    waiting = new_job()
    await store.insert([waiting])
    (claimed,) = await claim(store)
    await store.release([Released(claimed.lease, START, "sought", spent=True)], START)
    browser, search = JobBrowser(database, batch_size=2), Search(words="sought")
    found: list[UUID] = []
    below, has_more = None, True
    while has_more:
        page = await browser.older(search, below, 20)
        found += [row.id for row in page.rows]
        below, has_more = page.older, page.older is not None
    assert found == [waiting.id, failed[2], failed[0]]


async def test_where_not_all_errors_were_searched_there_may_be_more_than_were_counted(
    database: Database, store: JobStore
) -> None:
    await failed_jobs(store, ["sought"] * 3)
    browser = JobBrowser(database, max_counted_errors=2)
    assert await browser.count(Search(words="sought"), 20) == Count(2, is_all=False)
    assert await browser.count(Search(words="sought"), 1) == Count(1, is_all=False)
    assert await browser.count(Search(states=(FAILED,)), 20) == Count(3, is_all=True)


async def test_a_search_finds_the_same_errors_in_any_order_and_for_any_change(
    database: Database, store: JobStore
) -> None:
    """Deleting all that match also deleted cancelled jobs, whose reason no list had searched."""
    (failed,) = await failed_jobs(store, ["sought"])
    await store.insert([cancelled := new_job()])
    (claimed,) = await claim(store)
    await store.end([Ended(claimed.lease, JobState.CANCELLED, "sought")], START)
    async with jobs_host(database.url, mode="Producer") as jobs:
        browser, bulk = await jobs.service(JobBrowser), await jobs.service(BulkChanges)
        for state, expected in (((), {failed}), ((JobState.CANCELLED,), {cancelled.id})):
            for order in (Order.CREATED, Order.FINISHED):
                search = JobSearch(q="sought", state=state, by=order)
                shown = await browser.older(search.as_search(), None, 20)
                assert {row.id for row in shown.rows} == expected, (state, order)
                change = BulkChange(change=Change.DELETE, search=search, last=new_id())
                assert set((await bulk.next_ids(change, None))[0]) == expected, (state, order)


@pytest.mark.parametrize("words", ["Übergabe", "übergabe AN ärzte", "ÜBERGABE"])
async def test_letters_of_any_language_are_found_in_any_case(
    database: Database, store: JobStore, words: str
) -> None:
    """SQLite found none of them, not even as they stood on the page."""
    (failed,) = await failed_jobs(store, ["ValueError: Übergabe an Ärzte"])
    found = await JobBrowser(database).older(Search(words=words), None, 20)
    assert [row.id for row in found.rows] == [failed]
