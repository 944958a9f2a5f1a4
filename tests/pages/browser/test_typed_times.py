"""A time that is typed is by the zone that stands beside it, whenever it was typed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from playwright.async_api import Browser, Page, Route, expect

from modhost_background_jobs.contracts import JobDetail
from pages.browser.chromium import opened
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site

pytestmark = pytest.mark.anyio

TYPED = "2030-01-02T03:04"


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Site]:
    async with site(sqlite_url) as running:
        yield running


async def _waiting(browser: Browser, served: Site) -> tuple[Page, JobDetail]:
    """Return the page of a visitor in Tokyo, and a job that is due tomorrow."""
    job_id = await served.scheduling.schedule(
        ImportCustomersJob, datetime.now(UTC) + timedelta(days=1), Steps()
    )
    return await opened(browser, served, zone="Asia/Tokyo"), await served.detail(job_id)


async def test_a_time_is_by_the_zone_of_the_browser(browser: Browser, served: Site) -> None:
    page, job = await _waiting(browser, served)
    await page.goto(f"/admin/jobs/{job.id}")
    due = page.get_by_label("Due at (Asia/Tokyo)")
    local = job.execute_at + timedelta(hours=9)
    await expect(due).to_have_value(f"{local:%Y-%m-%dT%H:%M}")
    await due.fill(TYPED)
    await page.get_by_role("button", name="Reschedule").click()
    await expect(page.get_by_text("The job has its new time.")).to_be_visible()
    assert (await served.detail(job.id)).execute_at == datetime(2030, 1, 1, 18, 4, tzinfo=UTC)


async def test_a_time_that_is_typed_before_the_scripts_have_come_stays(
    browser: Browser, served: Site
) -> None:
    page, job = await _waiting(browser, served)
    is_typed = anyio.Event()

    async def come_late(route: Route) -> None:
        await is_typed.wait()
        await route.continue_()

    await page.route("**/zone.js*", come_late)
    await page.goto(f"/admin/jobs/{job.id}", wait_until="commit")
    due = page.get_by_label("Due at (UTC)")
    await due.fill(TYPED)
    is_typed.set()
    await page.wait_for_load_state()
    await expect(due).to_have_value(TYPED)
    await page.get_by_role("button", name="Reschedule").click()
    await expect(page.get_by_text("The job has its new time.")).to_be_visible()
    assert (await served.detail(job.id)).execute_at == datetime(2030, 1, 2, 3, 4, tzinfo=UTC)


async def test_a_time_that_the_browser_brings_back_has_its_zone(
    browser: Browser, served: Site
) -> None:
    page, job = await _waiting(browser, served)
    await page.goto(f"/admin/jobs/{job.id}")
    await page.get_by_label("Due at (Asia/Tokyo)").fill(TYPED)
    await page.get_by_role("link", name="Workers").first.click()
    await page.wait_for_load_state()
    await page.go_back()
    await expect(page.get_by_label("Due at (Asia/Tokyo)")).to_have_value(TYPED)
    await page.get_by_role("button", name="Reschedule").click()
    await expect(page.get_by_text("The job has its new time.")).to_be_visible()
    assert (await served.detail(job.id)).execute_at == datetime(2030, 1, 1, 18, 4, tzinfo=UTC)
