"""The reports example adds a card to the start page, and a tab to the pages of jobs."""

import pytest

from modhost import new_id
from modhost.testing import RunningHost
from modhost_background_jobs.contracts import JobId
from modhost_reports_example.contracts import ReportRequest, ReportType
from modhost_reports_example.storage import ReportStorage

pytestmark = pytest.mark.anyio


async def test_the_newest_report_is_on_the_start_page(host: RunningHost) -> None:
    client = await host.client("Reports.View")
    assert "Newest report" not in (await client.get("/")).text
    job_id = JobId(new_id())
    async with host.scope() as scope:
        storage = await scope.get(ReportStorage)
        request = ReportRequest(type=ReportType.MONTHLY, source="seattle-weather")
        await storage.begin(job_id, request)
        await storage.complete(job_id, [])
    page = (await client.get("/")).text
    assert "<h2>Newest report</h2>" in page
    assert f"/api/reports/{job_id}.svg" in page
    assert "Newest report" not in (await (await host.client("Host.ViewAudit")).get("/")).text


async def test_reports_are_a_tab_of_the_jobs_for_those_who_may_see_them(
    host: RunningHost,
) -> None:
    tab = '<li><a href="/reports">Reports</a></li>'
    counts = []
    for granted in (["BackgroundJobs.ViewJobs"], ["BackgroundJobs.ViewJobs", "Reports.View"]):
        client = await host.client(*granted)
        page = (await client.get("/admin/jobs/recurring")).text
        counts.append(page.partition("<main")[2].count(tab))
    assert counts == [0, 1]
