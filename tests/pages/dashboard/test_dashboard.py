"""The dashboard and the workers."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from modhost.database import Database
from modhost_background_jobs.contracts import JobId, JobState
from modhost_background_jobs.storage.tables import FINISHED
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


async def test_it_shows_what_runs_waits_and_failed(served: Site, visitor: Visitor) -> None:
    failed = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(failed, JobState.FAILED)
    running = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=9000, pause=0.05))
    await served.scheduling.schedule(ImportCustomersJob, datetime.now(UTC) + timedelta(hours=1))
    await served.reaches(running, JobState.RUNNING)
    page = await visitor.get("/admin/jobs")
    # At once, whenever the worker's heart beats and its roll-ups are written.
    assert "Running 1 right now" in page.text
    assert "1 of 4 slots busy" in page.text
    assert "Failed 1 in the last day" in page.text
    assert "Pending 1 none overdue" in page.text
    assert "Recurring 1 schedules" in page.text
    assert "Workers 1" in page.text
    assert "refused record 1" in page.text
    assert f"/admin/jobs/{running}" in page.links
    with anyio.fail_after(20):
        while "Failed 1 in the last day" not in page.text or "bar-bad" not in page.source:
            page = await visitor.get("/admin/jobs?span=day")
    assert page.source.count('class="bar-bad"') == 1
    workers = await visitor.get("/admin/jobs/workers")
    assert "1 of 4 slots busy" in workers.text
    assert f"/admin/jobs/{running}" in workers.links
    assert "customers.ImportCustomersJob" in workers.text
    await served.scheduling.cancel(running)


async def test_the_start_page_shows_the_state_of_the_queue(served: Site, visitor: Visitor) -> None:
    await served.scheduling.schedule(ImportCustomersJob, datetime.now(UTC) + timedelta(hours=1))
    failed = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=0))
    await served.reaches(failed, JobState.FAILED)
    with anyio.fail_after(20):
        page = await visitor.get("/")
        while "Failed 1 in the last day" not in page.text:
            page = await visitor.get("/")
    assert "Background jobs Running 0 Pending 1 Failed 1 in the last day Workers 1" in page.text
    assert [link for link in page.links if link.startswith("/admin/jobs/list?state=Failed&by=")]
    stranger = await Visitor.of(served, "Host.ViewAudit")
    assert "Pending" not in (await stranger.get("/")).text


async def test_failures_are_counted_as_the_list_behind_the_count_has_them(
    served: Site, visitor: Visitor
) -> None:
    """Roll-ups also had those that were deleted since, and the list those of days ago."""
    failed = [
        await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=0)) for _ in range(3)
    ]
    for each in failed:
        await served.reaches(each, JobState.FAILED)
    await served.scheduling.delete(failed[1])
    await _ended_days_ago(served, failed[2])
    for path in ("/admin/jobs", "/admin/jobs/types/customers.ImportCustomersJob"):
        page = await visitor.get(path)
        assert "Failed 1 in the last day" in page.text
        (link,) = {each for each in page.links if "state=Failed&by=finished&since=" in each}
        listed = await visitor.get(link)
        assert f"/admin/jobs/{failed[0]}" in listed.links
        assert "That is all: 1 job." in listed.text


async def _ended_days_ago(served: Site, job_id: JobId) -> None:
    database = await served.service(Database)
    ending = FINISHED.update().where(FINISHED.c.id == job_id)
    long_ago = datetime.now(UTC) - timedelta(days=1, minutes=2)
    async with database.session() as session:
        await (await session.connection()).execute(ending.values(completed_at=long_ago))


async def test_it_says_what_needs_attention(database_url: str) -> None:
    async with site(database_url, mode="Producer") as served:
        job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps())
        visitor = await Visitor.of(served, "BackgroundJobs.ViewJobs")
        page = await visitor.get("/admin/jobs")
        assert "Nothing executes jobs." in page.text
        assert "modhost worker" in page.text
        job = await visitor.get(f"/admin/jobs/{job_id}")
        assert "No worker is alive: start one with modhost worker" in job.text
        assert "modhost worker" in (await visitor.get("/admin/jobs/workers")).text
