"""Every page under axe, light and dark, wide and narrow; no page is wider than its window."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from modhost_background_jobs.contracts import JobState
from pages.chromium import browser
from pages.demo import ImportCustomersJob
from pages.filling import filled
from pages.site import Site, site

pytestmark = pytest.mark.anyio

WIDTHS = (1280, 390)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(sqlite_url: str, scheme: str) -> None:
    async with site(sqlite_url) as served, browser() as running:
        paths = await filled(served)
        for width in WIDTHS:
            found = await _problems(running, served, paths, scheme, width)
            assert not found, "\n".join(found)


async def _problems(
    running: Browser, served: Site, paths: Mapping[str, str], scheme: str, width: int
) -> list[str]:
    context = await running.new_context(
        base_url=served.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    found = []
    await page.goto("/login")
    pages = {"login": "/login", **paths}
    for name, path in pages.items():
        if name == "start":
            await page.goto(await served.login_link())
        await page.goto(path)
        results = await Axe().run(page)
        for violation in results.response["violations"]:
            nodes = "; ".join(node["html"][:150] for node in violation["nodes"][:3])
            found.append(f"{name} at {width}, {scheme}: {violation['help']}: {nodes}")
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{name} at {width}, {scheme}: wider than its window")
    await context.close()
    return found


async def test_every_action_works_by_keyboard(sqlite_url: str) -> None:
    async with site(sqlite_url) as served, browser() as running:
        job_id = await served.jobs.schedule(
            ImportCustomersJob, datetime.now(UTC) + timedelta(days=1)
        )
        page = await running.new_page(base_url=served.url)
        await page.goto(await served.login_link())
        await page.goto(f"/admin/jobs/{job_id}")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("Enter")
        with anyio.fail_after(20):
            while await page.evaluate("document.activeElement.textContent.trim()") != "Cancel":
                await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await served.reaches(job_id, JobState.CANCELLED)
