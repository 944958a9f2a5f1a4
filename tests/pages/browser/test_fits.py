"""What fits, and what is offered only where it works."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from modhost_background_jobs.contracts import JobState
from pages.browser.chromium import opened
from pages.demo import Steps, SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob
from pages.site import site

pytestmark = pytest.mark.anyio

EXACT = re.compile(r"^\d+ \w{3} \d\d:\d\d:\d\d$")
_WITHOUT_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"


async def _shown(page: Page) -> list[str]:
    """Return which of the buttons that need a script are shown on the page of a job."""
    buttons = {
        "Copy the id": page.get_by_role("button", name="Copy the id"),
        "Copy the input": page.get_by_role("button", name="Copy the input"),
        "Follow": page.get_by_role("checkbox", name="Follow"),
    }
    return [name for name, button in buttons.items() if await button.is_visible()]


async def test_pages_fit_and_offer_what_works(browser: Browser, sqlite_url: str) -> None:
    async with site(sqlite_url) as served:
        long = SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob
        job_id = await served.scheduling.enqueue(long, Steps(steps=999, pause=1, note="x" * 50_000))
        await served.reaches(job_id, JobState.RUNNING)
        page = await opened(browser, served)
        await page.set_viewport_size({"width": 390, "height": 800})
        await page.goto("/admin/jobs")
        await expect(page.get_by_role("link", name=long.__name__)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390

        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"/admin/jobs/{job_id}")
        assert await _shown(page) == ["Copy the id", "Copy the input", "Follow"]
        assert await page.evaluate("document.documentElement.scrollHeight") < 3_500
        await page.get_by_role("button", name="Copy the input").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert len(await page.evaluate("navigator.clipboard.readText()")) > 50_000
        assert await page.locator(".log-day").count() == 1
        await page.get_by_role("button", name="Exact times").click()
        moment = page.locator(".timeline time").first
        await expect(moment).to_have_text(EXACT)
        await page.reload()
        await expect(moment).to_have_text(EXACT)
        await page.emulate_media(media="print")
        await expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
        await expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        await expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()

        await page.add_init_script(_WITHOUT_CLIPBOARD)
        await page.emulate_media(media="screen")
        await page.reload()
        assert await _shown(page) == ["Follow"]
        plain = await opened(browser, served, script=False)
        await plain.goto(f"/admin/jobs/{job_id}")
        await expect(plain.get_by_role("button", name="Cancel")).to_be_visible()
        assert await _shown(plain) == []
        await served.scheduling.cancel(job_id)
