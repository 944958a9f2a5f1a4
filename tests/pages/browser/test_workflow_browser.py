"""The page of a workflow in a browser: it is live, and its graph is reached by keyboard."""

import pytest
from playwright.async_api import Browser, expect

from modhost_background_jobs.contracts import JobState, WorkflowId
from pages.browser.chromium import opened
from pages.site import site
from pages.workflows.nightly import nightly_import

pytestmark = pytest.mark.anyio


async def test_the_graph_follows_its_jobs_and_leads_to_them(
    browser: Browser, sqlite_url: str
) -> None:
    async with site(sqlite_url) as served:
        workflow, index = await nightly_import(served, pages=2, pause=1)
        await served.reaches(index, JobState.RUNNING)
        page = await opened(browser, served)
        await page.goto(f"/admin/jobs/workflows/{workflow}")
        box = page.get_by_role("link", name="RebuildSearchIndexJob: Running")
        await expect(box).to_be_visible()
        await served.scheduling.cancel_workflow(WorkflowId(workflow))
        stopped = page.get_by_role("link", name="RebuildSearchIndexJob: Cancelled").first
        await expect(stopped).to_be_visible()
        await expect(page.locator(".state-line .badge")).to_have_text("Cancelled")
        assert (await page.title()).startswith("Cancelled · Nightly import of customers")
        await stopped.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/admin/jobs/{index}")
