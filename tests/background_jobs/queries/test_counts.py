"""Counting the jobs of a page reads no rows beside them."""

import pytest

from background_jobs.queries.plans import assert_read_by, plans_of, statements
from background_jobs.support import add_worker, claim, jobs_database, new_job
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.storage import open_store

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("state", [None, *JobState])
@pytest.mark.parametrize("job_type", [None, "a"])
async def test_a_page_of_the_api_is_counted_and_found_without_reading_other_rows(
    sqlite_url: str, state: JobState | None, job_type: str | None
) -> None:
    """Whole rows were sorted, all up to the end of the page."""
    async with jobs_database(sqlite_url).open() as database:
        await add_worker(open_store(database))
        await open_store(database).insert([new_job(job_type="a"), new_job()])
        with statements() as sent:
            await JobListing(database).page(
                Selection(() if state is None else (state,), job_type), 0, 20
            )
        # A part is gone through by an index alone, or is a few jobs that one has found.
        ways = ["COVERING INDEX", "(id=?)", "_recurring", "_running", "_claim (job_type=?)"]
        ways += ["_lane_type (job_type=?)", "_waiting (job_type=?)"]
        if state is JobState.PENDING and job_type is None:
            # Nearly all live jobs are pending: the newest ones are found at once.
            ways.append("sqlite_autoindex_background_jobs_jobs_1")
        assert_read_by(await plans_of(database, sent), *ways)


async def test_what_is_pending_is_counted_by_indexes_alone(
    sqlite_url: str,
) -> None:
    """The dashboard read whole rows, of up to ten thousand jobs."""
    async with jobs_database(sqlite_url).open() as database:
        store = open_store(database)
        await add_worker(store)
        await store.insert([new_job() for _ in range(5)])
        load = QueueLoad(database, max_counted=3)
        assert await load.pending_count() == (3, True)
        await claim(store, limit=2)
        with statements() as sent:
            assert await load.pending_count() == (3, False)
        plans = await plans_of(database, sent)
        assert_read_by(plans, "COVERING INDEX", "(id=?)", "_recurring", "_running", "_waiting")
