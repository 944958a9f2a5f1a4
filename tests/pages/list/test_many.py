"""Changes of many jobs beyond cancelling and retrying, and a question of any size."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from modhost_background_jobs.contracts import JobFilter, JobId, JobState
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + timedelta(days=1)
MANY = "/admin/jobs/many"


async def test_a_question_about_as_many_jobs_as_a_page_has_has_a_short_address(
    sqlite_url: str,
) -> None:
    """It was of 8.4 kB, which some proxies refuse."""
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 200)
        listed = await visitor.get("/admin/jobs/list?rows=200")
        assert 'method="post" action="/admin/jobs/many"' in listed.source
        ids = [str(id_) for id_ in listed.job_ids()]
        assert len(ids) == 200
        answer = await visitor.client.post(MANY, data={"change": "run_now", "id": ids})
        assert (answer.status_code, "Run 200 jobs now" in answer.text) == (200, True)
        _, page = await visitor.post(f"{MANY}/apply", {"change": "run_now", "id": ids})
        assert "Due now: 200. Skipped" in page.text


async def test_all_of_a_search_are_run_now_rescheduled_and_deleted(
    database_url: str,
) -> None:
    async with site(database_url) as served:
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        await served.querying.get_jobs(JobFilter())
        ids = [await served.scheduling.schedule(ImportCustomersJob, LATER) for _ in range(3)]
        search = {"all": "true", "state": "Pending"}
        # Without a time nothing is moved.
        move = search | {"change": "reschedule"}
        asked = await visitor.client.post(MANY, data=move, follow_redirects=True)
        assert 'name="execute_at"' in asked.text
        assert (await visitor.client.post(f"{MANY}/apply", data=move)).status_code == 422
        moved = move | {"execute_at": "2040-01-02T03:04", "execute_zone": "Europe/Berlin"}
        await _done(served, visitor, moved)
        for job_id in ids:
            status = await served.scheduling.get_status(job_id)
            assert status is not None
            assert status.execute_at == datetime(2040, 1, 2, 2, 4, tzinfo=UTC)
        await _done(served, visitor, search | {"change": "run_now"})
        for job_id in ids:
            await served.ends(job_id)
        gone = {"all": "true", "change": "delete", "job_type": "customers.ImportCustomersJob"}
        asked = await visitor.client.post(MANY, data=gone, follow_redirects=True)
        assert "Delete 3 jobs" in asked.text
        await _done(served, visitor, gone)
        assert [await served.scheduling.get_status(id_) for id_ in ids] == [None] * 3


async def _done(served: Site, visitor: Visitor, form: dict[str, str]) -> None:
    location, _ = await visitor.post(f"{MANY}/apply", form)
    job_id = JobId(UUID(location.removeprefix("/admin/jobs/").partition("?")[0]))
    await served.reaches(job_id, JobState.COMPLETED)


async def test_pending_jobs_are_listed_by_their_due_times(served: Site, visitor: Visitor) -> None:
    late, soon, tagged = [
        await served.scheduling.schedule(
            ImportCustomersJob, LATER + timedelta(hours=hours), tags=tags
        )
        for hours, tags in ((3, ()), (1, ()), (2, ("vip",)))
    ]
    page = await visitor.get("/admin/jobs/list?by=due")
    assert page.job_ids() == list(map(str, (soon, tagged, late)))
    page = await visitor.get("/admin/jobs/list?by=due&tag=vip")
    assert page.job_ids() == [str(tagged)]
    until = f"{LATER + timedelta(hours=2.5):%Y-%m-%dT%H:%M}"
    page = await visitor.get(f"/admin/jobs/list?by=due&until={until}")
    assert page.job_ids() == [str(soon), str(tagged)]
    asked = await visitor.client.post(
        MANY,
        data={"by": "due", "until": until, "all": "true", "change": "cancel"},
        follow_redirects=True,
    )
    assert "Cancel 2 jobs" in asked.text
