"""The years of a source, each with a report, and one that compares them: a workflow."""

from uuid import UUID

import httpx2
import pytest

from modhost_background_jobs.contracts import JobId, JobState
from modhost_reports_example.contracts import ReportsContracts, ReportType
from pages.site import Site, site
from pages.visitor import Visitor
from pages.workflows.nightly import ended

pytestmark = pytest.mark.anyio


async def workflow_of(served: Site, visitor: Visitor) -> str:
    location, page = await visitor.post("/reports/compare", {"source": "seattle-weather"})
    (link,) = [each for each in page.links if each.startswith("/admin/jobs/workflows/")]
    assert location == f"/reports?workflow={link.rpartition('/')[2]}"
    return link.rpartition("/")[2]


async def nodes_of(client: httpx2.AsyncClient, workflow: str) -> list[JobId]:
    detail = (await client.get(f"/api/jobs/workflows/{workflow}")).json()
    return [JobId(each["id"]) for each in detail["nodes"]["items"]]


async def test_a_button_makes_a_report_for_each_year_then_their_comparison(
    database_url: str,
) -> None:
    async with site(database_url) as served:
        visitor = await Visitor.of(served, "Reports.*", "BackgroundJobs.ViewJobs")
        assert "Compare the years" in (await visitor.get("/reports")).text
        workflow = await workflow_of(served, visitor)
        client = await served.host.client("BackgroundJobs.ViewJobs", "Reports.View")
        *years, last = await nodes_of(client, workflow)
        assert len(years) == 4
        await served.reaches(last, JobState.COMPLETED)
        comparison = (await client.get(f"/api/reports/{last}")).json()
        assert comparison["type"] == ReportType.YEARLY
        assert [row["period"] for row in comparison["rows"]] == ["2012", "2013", "2014", "2015"]
        assert comparison["records"] == 1461
        whole = (await client.get(f"/api/reports/{years[0]}")).json()
        assert [row["period"] for row in whole["rows"]] == [f"2012-{n:02d}" for n in range(1, 13)]
        assert sum(row["count"] for row in whole["rows"]) == comparison["rows"][0]["count"]
        assert "seattle-weather, compared" in (await visitor.get("/reports")).text
        graph = (await visitor.get(f"/admin/jobs/workflows/{workflow}")).source
        assert graph.count('class="box ') == 5
        assert (await ended(served, UUID(workflow))).completed == 5


async def test_a_source_that_is_not_there_is_refused(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await Visitor.of(served, "Reports.*")
        _, page = await visitor.post("/reports/compare", {"source": "none"})
        assert "There is no source" in page.text
        async with served.host.scope() as scope:
            assert await (await scope.get(ReportsContracts)).latest() == []
        viewer = await Visitor.of(served, "Reports.View")
        assert "Compare the years" not in (await viewer.get("/reports")).text
        answer = await viewer.client.post("/reports/compare", data={"source": "seattle-weather"})
        assert answer.status_code == 403
