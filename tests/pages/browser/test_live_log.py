"""The log of a job that runs, in a real browser."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from modhost_background_jobs.contracts import JobId, JobState
from modhost_background_jobs.pages.live.feed import LiveFeed
from pages.browser.chromium import opened, show_tab
from pages.browser.walk import STEPS, Walk, walking_site
from pages.site import Site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Site]:
    async with walking_site(sqlite_url) as running:
        yield running


async def numbers_of(page: Page) -> list[int]:
    lines = await page.locator(".log-line span").all_text_contents()
    return [int(line.split()[1]) for line in lines if line.startswith("Step ")]


async def _walking(browser: Browser, served: Site) -> tuple[Page, JobId]:
    """Return the page of a job that runs."""
    job_id = await served.scheduling.enqueue(Walk)
    await served.reaches(job_id, JobState.RUNNING)
    page = await opened(browser, served)
    await page.goto(f"/admin/jobs/{job_id}")
    return page, job_id


async def test_focus_selected_text_and_the_log_outlive_changes_and_broken_streams(
    browser: Browser, served: Site
) -> None:
    """The server ends the stream each second: the browser continues after its last line."""
    (await served.service(LiveFeed)).stream_seconds = 1.0
    Walk.begin(allowed=10, last=60)
    page, _ = await _walking(browser, served)
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.timeline'))")
    await page.get_by_role("button", name="Cancel").focus()
    await expect(page.locator(".log-line").last).to_contain_text("Step 10 of 60")
    before = await page.locator("progress").get_attribute("value")
    Walk.allowed = 40
    await expect(page.locator("progress")).not_to_have_attribute("value", str(before))
    assert (await page.evaluate("getSelection().toString()")).startswith("Created")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    Walk.allowed = 60
    await expect(page.locator("[data-announcer]")).to_have_text("Completed")
    await expect(page).to_have_title(re.compile("^Completed · "))
    assert await page.evaluate("document.activeElement.id") == "main"
    await expect(page.locator(".log-line").last).to_contain_text("Step 60 of 60")
    assert await numbers_of(page) == list(range(1, 61))


async def test_the_log_follows_until_somebody_scrolls_and_can_be_searched(
    browser: Browser, served: Site
) -> None:
    Walk.begin(allowed=5, lines_before=80)
    page, job_id = await _walking(browser, served)
    log, follow = page.get_by_role("log"), page.get_by_label("Follow")
    await expect(log).to_contain_text("Step 5 of")
    await expect(follow).to_be_checked()
    await log.evaluate("log => { log.scrollTop = 40 }")
    await expect(follow).not_to_be_checked()
    Walk.allowed = 20
    await expect(log).to_contain_text("Step 20 of")
    assert await log.evaluate("log => log.scrollTop") == 40
    await log.evaluate("log => { log.scrollTop = log.scrollHeight }")
    await expect(follow).to_be_checked()
    await page.get_by_label("Words in the log").fill("step 1")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("mark").last).to_have_text("Step 1")
    found = await page.locator(".log-line").count()
    Walk.allowed = 110
    await expect(page.locator(".log-line").nth(found)).to_be_attached()
    assert {str(each)[0] for each in await numbers_of(page)} == {"1"}
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download the log").click()
    assert (await download.value).suggested_filename == f"job-{job_id}.log"
    await page.get_by_role("link", name="Show the whole log").click()
    await show_tab(page, hidden=True)
    await expect(page.locator("[data-live-mark]")).to_have_text("Paused")
    shown = (await numbers_of(page))[-1]
    Walk.allowed = STEPS
    await served.until(job_id, lambda job: job.progress_percentage * STEPS / 100 > shown + 10)
    assert (await numbers_of(page))[-1] == shown
    await show_tab(page, hidden=False)
    await expect(page.locator(".log-line").last).to_contain_text(re.compile(f"Step (?!{shown} )"))
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".state-line")).to_contain_text("Cancelled")


async def test_a_line_that_comes_just_after_somebody_has_scrolled_undoes_nothing(
    browser: Browser, served: Site
) -> None:
    """The line comes before the browser reports that the log was scrolled."""
    Walk.begin(allowed=1, lines_before=80)
    page, job_id = await _walking(browser, served)
    log, follow = page.get_by_role("log"), page.get_by_label("Follow")
    await expect(log).to_contain_text("Step 1 of")

    async def scroll_and_append(top: str) -> None:
        await page.evaluate(
            """async top => {
                const loaded = performance.getEntriesByType("resource").map(each => each.name);
                const { append } = await import(loaded.find(each => each.includes("/log.js")));
                const log = document.querySelector("[data-log]");
                log.scrollTop = top === "end" ? log.scrollHeight : Number(top);
                const line = Number(log.dataset.line) + 1;
                append([{ line, at: new Date().toISOString(), message: "one more" }]);
            }""",
            top,
        )

    await expect(follow).to_be_checked()
    await scroll_and_append("40")
    await expect(follow).not_to_be_checked()
    assert await log.evaluate("log => log.scrollTop") == 40
    await scroll_and_append("end")
    await expect(follow).to_be_checked()
    is_at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
    assert await log.evaluate(is_at_end)
    # Who unticks it at the end stays where they are.
    await follow.uncheck()
    top = await log.evaluate("log => log.scrollTop")
    await scroll_and_append(str(top))
    await expect(follow).not_to_be_checked()
    await served.scheduling.cancel(job_id)
