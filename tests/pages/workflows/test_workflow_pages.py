"""The pages of workflows without JavaScript: the list, one with its graph, cancel and retry."""

import re
from uuid import uuid4

import anyio
import pytest

from modhost.database import Database
from modhost_background_jobs.contracts import JobState, WorkflowState
from modhost_background_jobs.inspection.workflows.view import WorkflowInspection
from modhost_background_jobs.queries.workflows.nodes import NodeReader
from modhost_background_jobs.queries.workflows.shape import ShapeReader
from modhost_background_jobs.queries.workflows.summaries import WorkflowReader
from pages.demo import ImportCustomersJob, RebuildSearchIndexJob, Steps
from pages.site import site
from pages.visitor import Visitor
from pages.workflows.nightly import ended, nightly_import

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"
PATH = "/admin/jobs/workflows"


async def test_the_list_shows_states_and_counts_and_links_to_each(database_url: str) -> None:
    async with site(database_url) as served:
        visitor = await Visitor.of(served, VIEW)
        assert "There are no workflows yet." in (await visitor.get(PATH)).text
        done, _ = await nightly_import(served)
        failed, _ = await nightly_import(served, fail_at=0)
        await ended(served, done)
        await ended(served, failed)
        page = await visitor.get(PATH)
        assert {f"{PATH}/{done}", f"{PATH}/{failed}"} <= set(page.links)
        assert "15 of 16 completed, 1 cancelled" in page.text
        assert "13 of 16 completed, 1 failed, 2 cancelled" in page.text
        only = await visitor.get(f"{PATH}?state=Failed")
        assert f"{PATH}/{failed}" in only.links
        assert f"{PATH}/{done}" not in only.links
        assert "No workflow is Cancelled." in (await visitor.get(f"{PATH}?state=Cancelled")).text
        for state in ("Failed", ""):
            live = await visitor.client.get(
                f"/admin/jobs/events?watch=workflows&poll=true&workflow_state={state}"
            )
            assert str(failed) in live.json()["fragments"]["live_workflows"]
            assert (str(done) in live.text) is not bool(state)


async def test_the_page_of_one_has_its_graph_and_the_jobs_that_failed_first(
    database_url: str,
) -> None:
    async with site(database_url) as served:
        visitor = await Visitor.of(served, VIEW)
        failed, index = await nightly_import(served, fail_at=0)
        await ended(served, failed)
        page = await visitor.get(f"{PATH}/{failed}")
        many = "ImportCustomersJob, 12 jobs: 11 of 12 completed, 1 failed"
        assert f'aria-label="{many}"' in page.source
        assert f'href="{PATH}/{failed}?state=Failed"' in page.source
        assert "SendInvoicesJob: Completed; runs when one fails" in page.source
        assert f"/admin/jobs/{index}" in page.links
        assert "<svg" in page.source
        assert page.source.count("marker-end") == 5
        rows = page.source.partition("node-table")[2]
        assert rows.index("badge-bad") < rows.index("badge-warn") < rows.index("badge-good")
        assert "and 9 more" in rows
        only = await visitor.get(f"{PATH}/{failed}?state=Cancelled")
        assert only.source.partition("node-table")[2].count("data-key") == 2
        await visitor.get(f"{PATH}/{uuid4()}", status=404)
        live = await visitor.client.get(f"/admin/jobs/events?watch=workflow&id={failed}&poll=true")
        fragments = live.json()["fragments"]
        assert many in fragments["live_graph"]
        assert {"live_state", "live_nodes", "live_counts", "live_actions"} <= set(fragments)
        gone = await visitor.client.get(f"/admin/jobs/events?watch=workflow&id={uuid4()}&poll=true")
        assert gone.json()["fragments"] == {}


async def test_a_manager_cancels_and_retries_after_a_confirmation(database_url: str) -> None:
    async with site(database_url) as served:
        visitor = await Visitor.of(served, VIEW, MANAGE)
        running, index = await nightly_import(served, pages=3, pause=1)
        await served.reaches(index, JobState.RUNNING)
        assert f"{PATH}/{running}/cancel" in (await visitor.get(f"{PATH}/{running}")).links
        asked = await visitor.get(f"{PATH}/{running}/cancel")
        assert "Cancel 3 pending jobs, and ask 1 running one to stop?" in asked.text
        location, page = await visitor.post(f"{PATH}/{running}/cancel")
        assert location.startswith(f"{PATH}/{running}?notice=workflow-")
        assert (await ended(served, running)).state is WorkflowState.CANCELLED
        _, page = await visitor.post(f"{PATH}/{running}/cancel")
        assert "Nothing was done" in page.text
        failed, _ = await nightly_import(served, fail_at=0)
        await ended(served, failed)
        assert "Retry 1 failed job?" in (await visitor.get(f"{PATH}/{failed}/retry")).text
        _, page = await visitor.post(f"{PATH}/{failed}/retry")
        assert "What had failed runs again" in page.text, page.text
        viewer = await Visitor.of(served, VIEW)
        page = await viewer.get(f"{PATH}/{failed}")
        assert not [link for link in page.links if link.endswith(("/cancel", "/retry"))]
        for action in ("cancel", "retry"):
            await viewer.get(f"{PATH}/{failed}/{action}", status=403)
            answer = await viewer.client.post(f"{PATH}/{failed}/{action}")
            assert answer.status_code == 403


async def test_few_jobs_of_a_type_are_drawn_one_by_one(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await Visitor.of(served, VIEW)
        async with served.scheduling.workflow("Years") as workflow:
            notes = [
                "2022 & before",
                *(f"the customers of the year {each}" for each in (2023, 2024)),
            ]
            years = [workflow.add(ImportCustomersJob, Steps(note=each)) for each in (*notes, "")]
            workflow.add(RebuildSearchIndexJob, Steps(), after=years)
        page = await visitor.get(f"{PATH}/{workflow.id}")
        assert page.source.count('class="box ') == 5
        shown = re.findall(r'<text class="box-summary"[^>]*>([^<]*)', page.source)
        assert sorted(shown) == ["2022 &amp; before", *["the customers of the year…"] * 2]
        assert "<title>customers.ImportCustomersJob, 2022 &amp; before: Pending" in page.source
        async with served.scheduling.workflow("Nothing to do") as empty:
            pass
        assert "It has no jobs." in (await visitor.get(f"{PATH}/{empty.id}")).text


async def test_what_is_read_of_a_large_workflow_is_bounded_and_it_says_so(
    database_url: str,
) -> None:
    async with site(database_url, mode="Producer") as served:
        async with served.scheduling.workflow("Large") as workflow:
            first = [workflow.add(ImportCustomersJob, Steps()) for _ in range(300)]
            workflow.add(RebuildSearchIndexJob, Steps(), after=first)
        async with served.host.scope() as scope:
            workflows, nodes = await scope.get(WorkflowReader), await scope.get(NodeReader)
            shapes = ShapeReader(await scope.get(Database), max_nodes=20)
        found = await WorkflowInspection(workflows, nodes, shapes).inspect(workflow.id)
        assert (found.graph.read, found.summary.total) == (20, 301)
        many, last = found.graph.boxes
        assert (many.total, last.total, last.before) == (19, 1, (0,))
        visitor = await Visitor.of(served, VIEW)
        page = await visitor.get(f"{PATH}/{workflow.id}?page=7")
        assert "ImportCustomersJob, 300 jobs" in page.source
        assert "Page 7 of 7" in page.text
        assert page.source.partition("node-table")[2].count("data-key") == 1


async def test_it_is_opened_from_the_tabs(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        with anyio.fail_after(20):
            page = await (await Visitor.of(served, VIEW)).get("/admin/jobs")
        assert PATH in page.links
