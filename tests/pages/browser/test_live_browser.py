"""Pages that change while they are open, in a real browser."""

import re
from collections.abc import AsyncIterator

import anyio
import pytest
from playwright.async_api import Browser, Page, Route, expect

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.pages.live.feed import LiveFeed
from pages.browser.chromium import opened
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site

pytestmark = pytest.mark.anyio

expect.set_options(timeout=20_000)


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Site]:
    async with site(sqlite_url) as running:
        yield running


async def show_tab(page: Page, *, hidden: bool) -> None:
    """Put the tab into the background, or bring it back."""
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def numbers_of(page: Page) -> list[int]:
    lines = await page.locator(".log-line span").all_text_contents()
    return [int(line.split()[1]) for line in lines if line.startswith("Step ")]


async def test_focus_selected_text_and_the_log_outlive_changes_and_broken_streams(
    browser: Browser, served: Site
) -> None:
    """The server ends the stream each second: the browser continues after its last line."""
    (await served.service(LiveFeed)).stream_seconds = 1.0
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=60, pause=0.1))
    await served.reaches(job_id, JobState.RUNNING)
    page = await opened(browser, served)
    await page.goto(f"/admin/jobs/{job_id}")
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.timeline'))")
    await page.get_by_role("button", name="Cancel").focus()
    before = await page.locator("progress").get_attribute("value")
    await expect(page.locator("progress")).not_to_have_attribute("value", str(before))
    assert (await page.evaluate("getSelection().toString()")).startswith("Created")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await expect(page.locator("[data-announcer]")).to_have_text("Completed")
    await expect(page).to_have_title(re.compile("^Completed · "))
    assert await page.evaluate("document.activeElement.id") == "main"
    await expect(page.locator(".log-line").last).to_contain_text("Step 60 of 60")
    assert await numbers_of(page) == list(range(1, 61))


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


async def test_the_log_follows_until_somebody_scrolls_and_can_be_searched(
    browser: Browser, served: Site
) -> None:
    job_id = await served.scheduling.enqueue(
        ImportCustomersJob, Steps(lines=80, steps=900, pause=0.05)
    )
    page = await opened(browser, served)
    await page.goto(f"/admin/jobs/{job_id}")
    log, follow = page.get_by_role("log"), page.get_by_label("Follow")
    await expect(log).to_contain_text("Step 3 of")
    await expect(follow).to_be_checked()
    await log.evaluate("log => { log.scrollTop = 40 }")
    await expect(follow).not_to_be_checked()
    count = await page.locator(".log-line").count()
    await expect(page.locator(".log-line").nth(count + 10)).to_be_attached()
    assert await log.evaluate("log => log.scrollTop") == 40
    await log.evaluate("log => { log.scrollTop = log.scrollHeight }")
    await expect(follow).to_be_checked()
    await page.get_by_label("Words in the log").fill("step 1")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("mark").last).to_have_text("Step 1")
    found = await page.locator(".log-line").count()
    await expect(page.locator(".log-line").nth(found)).to_be_attached()
    assert {str(each)[0] for each in await numbers_of(page)} == {"1"}
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download the log").click()
    assert (await download.value).suggested_filename == f"job-{job_id}.log"
    await page.get_by_role("link", name="Show the whole log").click()
    await show_tab(page, hidden=True)
    await expect(page.locator("[data-live-mark]")).to_have_text("Paused")
    shown = (await numbers_of(page))[-1]
    with anyio.fail_after(20):
        while shown + 10 > (await served.querying.get_job_detail(job_id)).progress_percentage * 9:  # type: ignore[union-attr]
            await anyio.sleep(0.05)
    assert (await numbers_of(page))[-1] == shown
    await show_tab(page, hidden=False)
    await expect(page.locator(".log-line").last).to_contain_text(re.compile(f"Step (?!{shown} )"))
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".state-line")).to_contain_text("Cancelled")


async def test_where_events_do_not_get_through_the_page_polls_until_they_do(
    browser: Browser, served: Site
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=900, pause=0.1))
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
    with anyio.fail_after(20):
        await polled.wait()
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    is_blocked, polled, streamed = False, anyio.Event(), anyio.Event()
    await page.clock.fast_forward(31_000)
    with anyio.fail_after(20):
        await streamed.wait()
    count = await page.locator(".log-line").count()
    await expect(page.locator(".log-line").nth(count + 5)).to_be_attached()
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
