"""What the reports page shows of reports, finished or not."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from modhost import new_id
from modhost_background_jobs.contracts import JobId, JobState
from modhost_reports_example.contracts import (
    ColumnSummary,
    ReportRequest,
    ReportRow,
    ReportsContracts,
    ReportType,
)
from modhost_reports_example.sources import Sources
from modhost_reports_example.storage import ReportStorage
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


async def test_a_finished_report_is_drawn_and_read_on_the_page(sqlite_url: str) -> None:
    async with site(sqlite_url) as served:
        visitor = await Visitor.of(served, "Reports.View")
        finished = []
        for kind in ReportType:
            async with served.host.scope() as scope:
                reports = await scope.get(ReportsContracts)
                request = ReportRequest(type=kind, source="seattle-weather")
                finished.append(await reports.request(request))
            await served.reaches(finished[-1], JobState.COMPLETED)
        page = await visitor.get("/reports")
        charts = re.findall(r"<svg class=.*?</svg>", page.source, re.DOTALL)
        assert len(charts) == 2
        for chart, period, places in zip(charts, ("2012", "2012-01"), (4, 48), strict=True):
            readings = re.search(r'data-readings="([^"]*)"', chart)
            labels = re.search(r'data-labels="([^"]*)"', chart)
            assert readings is not None
            assert labels is not None
            assert labels[1].split("\n")[0] == period
            assert len(labels[1].split("\n")) == len(readings[1].split("\n")) == places
            assert re.match(r"precipitation \S+, temp_max \S+, temp_min \S+, wind ", readings[1])
            assert [f"series-{number}" in chart for number in range(1, 6)] == [True] * 4 + [False]
            assert 'role="img" tabindex="0" aria-label="Means by ' in chart
        for job_id in finished:
            assert f'href="/api/reports/{job_id}.csv"' in page.source
            assert f'href="/api/reports/{job_id}.svg"' in page.source
        assert 'class="open"' not in page.source
        assert "<img" not in page.source.partition("<main")[2]
        start = await visitor.get("/")
        assert 'aria-label="Means by year, of seattle-weather, yearly' in start.source


async def test_a_report_made_within_its_last_period_says_that_it_is_not_full(
    sqlite_url: str,
) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        async with served.host.scope() as scope:
            storage = await scope.get(ReportStorage)
            values = {"x": ColumnSummary(sum=3, mean=3, min=3, max=3)}
            this_year = f"{datetime.now(UTC):%Y}"
            for source, period in (("past", "2001"), ("present", this_year)):
                job_id = JobId(new_id())
                await storage.begin(job_id, ReportRequest(type=ReportType.YEARLY, source=source))
                await storage.complete(job_id, [ReportRow(period=period, count=1, values=values)])
        page = await (await Visitor.of(served, "Reports.View")).get("/reports")
        present, past = page.source.split("<h2>present", 1)[1].split("<h2>past", 1)
        for shown, is_open in ((present, True), (past, False)):
            assert ('class="open"' in shown) is is_open
            assert ("x 3 so far" in shown) is is_open
            assert ("had not ended when the report was made" in shown) is is_open
