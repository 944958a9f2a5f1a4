"""Pages that change while they are open, in a real browser."""

import re
from collections.abc import AsyncIterator

import anyio
import pytest
from playwright.async_api import Browser, Route, expect

from modhost_background_jobs.contracts import JobState
from pages.browser.chromium import blank, opened, show_tab
from pages.demo import ImportCustomersJob, Steps
from pages.site import PASSWORD, Site, site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Site]:
    async with site(sqlite_url) as running:
        yield running


async def test_what_is_unfolded_before_the_first_change_arrives_stays_so(
    browser: Browser, served: Site
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(job_id, JobState.FAILED)
    page = await opened(browser, served)
    await page.add_init_script(
        """document.addEventListener("readystatechange", () => {
            const details = document.querySelector(".attempts details");
            if (document.readyState === "interactive" && details) details.open = true;
        });"""
    )
    await page.goto(f"/admin/jobs/{job_id}")
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    await expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()


async def test_pages_of_production_are_live(browser: Browser, sqlite_url: str) -> None:
    """Its scripts are under their version, below which they asked for the host's addresses."""
    production = {"environment": "production", "allowed_hosts": ["127.0.0.1"]}
    async with site(sqlite_url, host=production) as served:
        await served.add_user("ada", "Admin")
        page = await blank(browser, served)
        await page.goto("/login?next=/admin/jobs")
        await page.get_by_label("Name").fill("ada")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("[data-live-mark]")).to_have_text("Live")
        job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
        await expect(page.locator(f"a[href$='{job_id}']").first).to_be_visible()


async def test_where_events_do_not_get_through_the_page_polls_until_they_do(
    browser: Browser, served: Site
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=9000, pause=0.1))
    page = await opened(browser, served)
    await page.clock.install()
    polled, streamed = anyio.Event(), anyio.Event()
    is_blocked = True

    async def pass_polls(route: Route) -> None:
        (polled if "poll=true" in route.request.url else streamed).set()
        if is_blocked and "poll=true" not in route.request.url:
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/admin/jobs/events*", pass_polls)
    await page.goto(f"/admin/jobs/{job_id}")
    await expect(page.locator(".state-line")).to_contain_text("Running")
    with anyio.fail_after(60):
        await polled.wait()
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    is_blocked, polled, streamed = False, anyio.Event(), anyio.Event()
    await page.clock.fast_forward(31_000)
    with anyio.fail_after(60):
        await streamed.wait()
    count = await page.locator(".log-line").count()
    await expect(page.locator(".log-line").nth(count + 5)).to_be_attached()
    await served.scheduling.cancel(job_id)


async def test_an_answer_that_comes_once_the_page_is_paused_changes_nothing(
    browser: Browser, served: Site
) -> None:
    """The page called itself live, and showed what it had asked for before."""
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=9000, pause=0.1))
    page = await opened(browser, served)
    asked, is_paused = anyio.Event(), anyio.Event()

    async def hold_polls(route: Route) -> None:
        if "poll=true" not in route.request.url:
            await route.abort()
            return
        asked.set()
        await is_paused.wait()
        await route.continue_()

    await page.route("**/admin/jobs/events*", hold_polls)
    await page.goto(f"/admin/jobs/{job_id}")
    with anyio.fail_after(60):
        await asked.wait()
    await show_tab(page, hidden=True)
    async with page.expect_response("**/events*poll=true"):
        is_paused.set()
    # What the page does with the answer is done before it has another one.
    await page.evaluate("() => fetch('/health/live').then(answer => answer.text())")
    await expect(page.locator("[data-live-mark]")).to_have_text("Paused")
    await served.scheduling.cancel(job_id)


async def test_who_is_logged_out_is_reported_so(browser: Browser, served: Site) -> None:
    page = await opened(browser, served)
    await page.route(re.compile("/admin/jobs/events.(?!.*poll)"), lambda route: route.abort())
    await page.goto("/admin/jobs")
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    await page.context.clear_cookies()
    notice = page.locator("[data-logged-out]")
    await expect(notice).to_be_visible()
    await expect(page.locator("[data-live-mark]")).to_have_text("Not live")
    await notice.get_by_role("link", name="Log in").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
