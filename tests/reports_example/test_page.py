"""What the reports page shows of reports that are not finished."""

from collections.abc import AsyncIterator

import pytest

from modhost_background_jobs.contracts import JobState
from modhost_reports_example.contracts import ReportRequest, ReportsContracts, ReportType
from modhost_reports_example.sources import Sources
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


async def of_upload(served: Site, upload: str) -> JobState:
    async with served.host.scope() as scope:
        reports = await scope.get(ReportsContracts)
        request = ReportRequest(type=ReportType.MONTHLY, source="upload", upload=upload)
        job_id = await reports.request(request)
    return (await served.reaches(job_id, JobState.FAILED)).state


async def test_a_report_that_failed_says_so_and_why(sqlite_url: str) -> None:
    async with site(sqlite_url) as served:
        async with served.host.scope() as scope:
            sources = await scope.get(Sources)

            async def body() -> AsyncIterator[bytes]:
                yield b"no date here\n1\n"

            upload = await sources.store(body())
        assert await of_upload(served, upload) is JobState.FAILED
        page = await (await Visitor.of(served, "Reports.View")).get("/reports")
        assert "Failed" in page.text
        assert "date" in page.text.partition("Failed")[2]
        assert "data-refresh" not in page.source


async def test_a_report_that_waits_is_refreshed(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        async with served.host.scope() as scope:
            reports = await scope.get(ReportsContracts)
            await reports.request(ReportRequest(type=ReportType.YEARLY, source="seattle-weather"))
        page = await (await Visitor.of(served, "Reports.View")).get("/reports")
        assert "Pending" in page.text
        assert 'data-refresh="1"' in page.source
