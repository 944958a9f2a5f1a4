"""Every action of the pages, by the keyboard alone, with JavaScript and without."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest
from playwright.async_api import Browser, Page, expect

from modhost_background_jobs.contracts import JobState
from pages.browser.chromium import opened
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + timedelta(days=1)
_FOCUSED = """() => {
    const found = document.activeElement;
    if (!found || found === document.body) return null;
    return found.getAttribute("aria-label") ?? found.textContent.trim();
}"""


async def reach(page: Page, name: str) -> None:
    """Press Tab until something with this name has the focus."""
    with anyio.fail_after(20):
        while await page.evaluate(_FOCUSED) != name:
            await page.keyboard.press("Tab")


async def press(page: Page, name: str) -> None:
    """Press a button or follow a link."""
    await reach(page, name)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


@pytest.mark.parametrize("script", [True, False])
async def test_every_action_works_by_keyboard(
    browser: Browser, sqlite_url: str, script: bool
) -> None:
    async with site(sqlite_url) as served:
        page = await opened(browser, served, script=script)
        await _jobs(page, served)
        await _many_jobs(page, served)
        await _schedules(page, served)
        await press(page, "Log out")
        await page.goto("/admin/jobs")
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def _jobs(page: Page, served: Site) -> None:
    pending = await served.scheduling.schedule(ImportCustomersJob, LATER)
    failed = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(failed, JobState.FAILED)
    await page.goto(f"/admin/jobs/{pending}")
    await page.keyboard.press("Tab")
    assert await page.locator(":focus").text_content() == "Skip to the content"
    await page.keyboard.press("Enter")
    await press(page, "Cancel")
    await expect(page.get_by_text("The job is cancelled.")).to_be_visible()
    await page.goto(f"/admin/jobs/{failed}")
    await press(page, "Retry")
    await expect(page.get_by_text("waits for its next attempt")).to_be_visible()
    await served.reaches(failed, JobState.FAILED)
    await page.goto(f"/admin/jobs/{failed}")
    await press(page, "Edit and run again…")
    await page.get_by_label("Input").fill('{"steps": 1}')
    await press(page, "Run")
    await expect(page.get_by_text("This job is the new one")).to_be_visible()


async def _many_jobs(page: Page, served: Site) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER)
    await page.goto("/admin/jobs/list?state=Pending")
    await reach(page, f"Select customers.ImportCustomersJob {job_id}")
    await page.keyboard.press("Space")
    await press(page, "Cancel…")
    await press(page, "Cancel 1 job")
    await expect(page.get_by_text("Cancelled, or asked to stop: 1.")).to_be_visible()
    await served.reaches(job_id, JobState.CANCELLED)


async def _schedules(page: Page, served: Site) -> None:
    await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="0 3 * * *", data=Steps()
    )
    await page.goto("/admin/jobs/recurring")
    await press(page, "Disable Nightly")
    await expect(page.get_by_role("button", name="Enable Nightly")).to_be_visible()
    await press(page, "Enable Nightly")
    await press(page, "Run now Nightly")
    await expect(page.get_by_text("started by hand")).to_be_visible()
    await page.goto("/admin/jobs/recurring")
    await press(page, "Nightly")
    await press(page, "Delete…")
    await press(page, "Delete the schedule")
    await expect(page.get_by_role("heading", name="Nightly")).to_have_count(0)
