"""Jobs are found by queue, by tag and by several states, newest first and page by page."""

from collections.abc import Mapping, Sequence
from itertools import product
from uuid import UUID

import pytest

from background_jobs.flow.reading.flowing_jobs import enqueue, job_with, move_to
from background_jobs.queries.plans import plans_of, postgres_plans_of, statements
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Flow
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.search import Count, JobBrowser, Search
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio

PENDING, RUNNING, FAILED = JobState.PENDING, JobState.RUNNING, JobState.FAILED
COMPLETED = JobState.COMPLETED
STATES = (PENDING, RUNNING, FAILED, COMPLETED)
SELECTIONS = [
    Selection(*each)
    for each in product(
        [(), (PENDING,), (FAILED,), (PENDING, RUNNING), (PENDING, FAILED), (RUNNING, COMPLETED)],
        [None, "tests.Job"],
        [None, "default", "bulk", "none", ""],
        [None, "customer:42"],
    )
]

Made = Mapping[UUID, Selection]


def is_selected(job: Selection, by: Selection) -> bool:
    return (
        (not by.states or job.states[0] in by.states)
        and by.job_type in (None, job.job_type)
        and by.queue in (None, job.queue)
        and by.tag in (None, job.tag)
    )


async def make(database: Database, queue: DatabaseJobQueue) -> Made:
    """Make two jobs of each combination."""
    made: dict[UUID, Selection] = {}
    for state, job_type, name, tag in product(
        STATES, ("tests.Job", "tests.Other"), ("default", "bulk"), ("customer:42", None)
    ):
        flow = Flow(queue=name, tags=(tag, "other") if tag else ())
        jobs = [job_with(flow, job_type=job_type) for _ in range(2)]
        await enqueue(database, queue, jobs)
        for job in jobs:
            made[job.id] = Selection((state,), job_type, name, tag)
            if state is not PENDING:
                await move_to(database, queue, job.id, state, "timed out" if tag else None)
    return made


async def read_all(browser: JobBrowser, search: Search, limit: int) -> list[UUID]:
    """Follow the pages to the end."""
    found: list[UUID] = []
    below, has_more = None, True
    while has_more:
        page = await browser.older(search, below, limit)
        found += [row.id for row in page.rows]
        below, has_more = page.older, page.older is not None
    return found


# With every seventh, each value of each criterion meets those of the others.
@pytest.mark.parametrize(
    "selections",
    [SELECTIONS[::7], pytest.param(SELECTIONS, marks=EXHAUSTIVE)],
    ids=["some", "all"],
)
async def test_each_combination_finds_its_jobs_and_no_other(
    database: Database, queue: DatabaseJobQueue, selections: Sequence[Selection]
) -> None:
    """However few are checked at a time where no index answers."""
    made = await make(database, queue)
    whole, stepwise = JobBrowser(database), JobBrowser(database, checked_at_once=5)
    listing = JobListing(database)
    for selection in selections:
        wanted = sorted((id_ for id_, job in made.items() if is_selected(job, selection)))[::-1]
        search = Search(selection.states, selection.job_type, selection.queue, selection.tag)
        assert await read_all(whole, search, 100) == wanted, selection
        assert await read_all(stepwise, search, 3) == wanted, selection
        assert await whole.count(search, 100) == Count(len(wanted), is_all=True)
        rows, total, older = await listing.page(selection, 1, 2)
        assert ([row.id for row in rows], total) == (wanted[1:3], len(wanted)), selection
        assert older == (wanted[2] if len(wanted) > 3 else None), selection
        if len(wanted) > 3:
            newer = await whole.newer(search, wanted[3], 2)
            assert [row.id for row in newer.rows] == wanted[1:3], selection


async def test_a_word_finds_the_jobs_with_that_tag_and_those_whose_error_has_it_each_once(
    database: Database, queue: DatabaseJobQueue
) -> None:
    tagged, both, failed, neither = [
        job_with(Flow(tags=tags)) for tags in (("slow",), ("slow",), (), ("slow:1",))
    ]
    await enqueue(database, queue, [tagged, both, failed, neither])
    await move_to(database, queue, both.id, FAILED, "a Slow server")
    await move_to(database, queue, failed.id, FAILED, "a slow server")
    browser = JobBrowser(database)
    assert await read_all(browser, Search(words="slow"), 1) == [failed.id, both.id, tagged.id]
    assert await browser.count(Search(words="slow"), 10) == Count(3, is_all=True)
    pending = Search(states=(PENDING,), words="slow")
    assert await read_all(browser, pending, 10) == [tagged.id]
    narrowed = Search(tag="slow", words="SERVER")
    assert await read_all(browser, narrowed, 10) == [both.id]
    assert await read_all(browser, Search(words="slow", queue="bulk"), 10) == []


async def test_what_no_index_answers_is_checked_of_a_bounded_number_of_jobs(
    database: Database, queue: DatabaseJobQueue
) -> None:
    """A page may be empty before the end, and says where to continue."""
    jobs = [job_with(Flow(tags=("t",), priority=1)) for _ in range(7)]
    await enqueue(database, queue, jobs)
    await move_to(database, queue, jobs[0].id, FAILED)
    browser = JobBrowser(database, checked_at_once=3)
    search = Search(states=(FAILED,), tag="t")
    first = await browser.older(search, None, 20)
    assert (first.rows, first.older) == ([], jobs[4].id)
    second = await browser.older(search, first.older, 20)
    assert (second.rows, second.older) == ([], jobs[1].id)
    last = await browser.older(search, second.older, 20)
    assert ([row.id for row in last.rows], last.older) == ([jobs[0].id], None)


PLANS = [
    (Search(queue="bulk"), {"ix_background_jobs_jobs_queue", "finished_jobs_queue"}),
    (Search(states=(FAILED,), queue="bulk"), {"finished_jobs_queue"}),
    (Search(states=(PENDING,), queue="bulk"), {"ix_background_jobs_jobs_queue"}),
    (Search(states=(RUNNING,), queue="bulk"), set()),
    (Search(states=(RUNNING, FAILED)), {"jobs_running", "finished_jobs_state"}),
    (Search(queue="bulk", job_type="a"), {"finished_jobs_type"}),
    (Search(tag="t"), {"job_tags"}),
    (Search(states=(FAILED,), queue="bulk", tag="t"), {"job_tags"}),
    (Search(states=(COMPLETED,), tag="t"), {"job_tags"}),
    (Search(job_type="a", tag="t", words="x"), {"job_tags"}),
    (Search(words="x"), {"finished_jobs_error", "job_tags"}),
]


@pytest.mark.parametrize(("search", "indexes"), PLANS)
async def test_each_search_goes_by_an_index_and_reads_no_whole_table(
    database: Database, search: Search, indexes: set[str]
) -> None:
    with statements() as sent:
        await JobBrowser(database).older(search, None, 20)
        await JobBrowser(database).queues()
    if database.dialect == "postgresql":
        plan = await postgres_plans_of(database, sent)
        assert "Seq Scan" not in plan
    else:
        plan = "\n".join(await plans_of(database, sent))
        for step in plan.splitlines():
            # Those of jobs with an error alone.
            assert not step.startswith("SCAN background_jobs") or "_jobs_error" in step, plan
            if search.tag is not None and "CONSTANT" not in step and "_queue" not in step:
                assert "background_jobs_jobs" not in step or "(id=?)" in step, plan
                assert "background_jobs_finished" not in step or "(id=?)" in step, plan
    assert {name for name in indexes if name in plan} == indexes, plan
