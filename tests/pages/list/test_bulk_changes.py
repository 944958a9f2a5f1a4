"""Many jobs are changed at once: those that are ticked, or all of a search."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

import anyio
import pytest

from modhost_background_jobs.bulk.changes import BulkChanges
from modhost_background_jobs.contracts import JobFilter, JobState
from pages.changed import LATER, detail, id_in
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


ALL_FAILED = JobFilter(state=JobState.FAILED, page_size=1)


async def _have_failed(served: Site, ids: Sequence[UUID], attempts: int) -> None:
    """Wait for all of them; they run in turn, so that only the last ones are waited for long."""
    for job_id in reversed(ids):
        await served.until(
            job_id, lambda job: len(job.attempts) == attempts and job.state is JobState.FAILED
        )


async def test_a_change_of_ticked_jobs_leads_back_to_their_page_of_the_list(
    sqlite_url: str,
) -> None:
    """It led to the first page, and the jobs were gone from sight."""
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 30)
        first = await visitor.get("/admin/jobs/list?state=Pending&rows=20")
        (older,) = [link for link in first.links if "before=" in link]
        second = await visitor.get(older)
        (before,) = second.values["before"]
        query = urlencode({"state": "Pending", "rows": "20", "before": before, "change": "cancel"})
        asked = await visitor.get(f"/admin/jobs/many?{query}&id={second.job_ids()[0]}")
        assert older in asked.links
        values = {name: each[0] for name, each in asked.values.items()}
        location, _ = await visitor.post("/admin/jobs/many/apply", values)
        assert location.startswith(older)


async def test_ticked_jobs_are_changed_after_a_question(served: Site, visitor: Visitor) -> None:
    ids = [await served.scheduling.schedule(ImportCustomersJob, LATER) for _ in range(3)]
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(done, JobState.COMPLETED)
    chosen = [str(ids[0]), str(ids[1]), str(done)]
    asked = await visitor.get(f"/admin/jobs/many?change=cancel&id={'&id='.join(chosen)}")
    assert "Cancel 3 jobs" in asked.buttons
    assert asked.values["id"] == chosen
    assert (await detail(served, ids[0])).state is JobState.PENDING
    _, page = await visitor.post("/admin/jobs/many/apply", {"change": "cancel", "id": chosen})
    assert "Cancelled, or asked to stop: 2. Skipped, already finished: 1." in page.text
    states = [(await detail(served, id_)).state for id_ in ids]
    assert states == [JobState.CANCELLED, JobState.CANCELLED, JobState.PENDING]
    answer = await visitor.client.get("/admin/jobs/many?change=cancel&state=Failed")
    assert answer.status_code == 303
    page = await visitor.get(answer.headers["location"])
    assert "no job was selected" in page.text
    assert "state=Failed" in answer.headers["location"]


@pytest.mark.timeout(300)
async def test_all_jobs_of_a_search_are_changed_by_a_job(served: Site, visitor: Visitor) -> None:
    failed = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps(fail_at=0)] * 110)
    with anyio.fail_after(60):
        while (await served.querying.get_jobs(ALL_FAILED)).total_count < len(failed):
            await anyio.sleep(0.1)
    pending = await served.scheduling.schedule(ImportCustomersJob, LATER)
    # A job whose change takes long on a slow machine is not one that somebody has locked.
    (await served.service(BulkChanges)).lock_seconds = 60.0
    search = {"change": "retry", "all": "true", "q": "refused record 0"}
    asked = await visitor.get(f"/admin/jobs/many?{urlencode(search)}")
    assert "Retry 110 jobs" in asked.buttons
    location, page = await visitor.post("/admin/jobs/many/apply", search)
    assert "This background job makes the change" in page.text
    operation = id_in(location)
    done = await served.reaches(operation, JobState.COMPLETED, seconds=60)
    assert done.progress_message == "110 jobs done"
    await _have_failed(served, failed, attempts=2)
    assert (await detail(served, pending)).state is JobState.PENDING
