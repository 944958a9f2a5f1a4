"""What a person does on the pages, in a real browser."""

import re
from collections.abc import AsyncIterator

import anyio
import pytest
from playwright.async_api import Browser, expect

from modhost_background_jobs.bulk.changes import BulkChanges
from modhost_background_jobs.contracts import JobState
from pages.browser.chromium import blank, opened
from pages.demo import ImportCustomersJob, Steps
from pages.site import PASSWORD, Site, site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Site]:
    async with site(sqlite_url) as running:
        yield running


async def test_a_report_is_asked_for_and_watched(browser: Browser, served: Site) -> None:
    page = await opened(browser, served)
    await page.get_by_role("link", name="Reports", exact=True).first.click()
    await page.get_by_role("button", name="Make a report").click()
    await page.get_by_role("link", name="job of").first.click()
    await expect(page.locator(".state-line")).to_contain_text("Completed")
    await expect(page.get_by_role("log")).to_contain_text("records")


async def test_the_bar_moves_without_a_reload_and_the_job_is_cancelled(
    browser: Browser, served: Site
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=1000, pause=0.05))
    page = await opened(browser, served)
    await page.goto(f"/admin/jobs/{job_id}")
    await page.evaluate("window.loadedOnce = true")
    bar = page.get_by_role("progressbar", name="Progress")
    before = float(await bar.get_attribute("value") or 0)
    with anyio.fail_after(20):
        while float(await bar.get_attribute("value") or 0) <= before:
            await page.wait_for_timeout(50)
    lines = page.get_by_role("log").locator(".log-line")
    count = await lines.count()
    await expect(lines.nth(count + 3)).to_be_visible()
    assert await page.evaluate("window.loadedOnce") is True
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".state-line")).to_contain_text("Cancelled")
    await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert (await served.reaches(job_id, JobState.CANCELLED)).progress_percentage < 100


async def test_a_failure_is_read_edited_and_run_again(browser: Browser, served: Site) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(job_id, JobState.FAILED)
    page = await opened(browser, served)
    await page.goto("/admin/jobs")
    failures = page.get_by_role("region", name="Recent failures")
    await failures.get_by_role("link", name="ImportCustomersJob").click()
    await expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()
    await page.get_by_role("link", name="Run again").click()
    box = page.get_by_role("textbox", name="Input")
    text = await box.input_value()
    await box.fill(text.replace('"fail_at": 1', '"fail_at": null'))
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(page.get_by_text("This job is the new one")).to_be_visible()
    await expect(page.locator(".state-line").filter(has_text="Completed")).to_be_visible()


async def test_the_list_is_filtered_paged_searched_and_changed(
    browser: Browser, served: Site
) -> None:
    # A job whose change takes long on a slow machine is not one that somebody has locked.
    (await served.service(BulkChanges)).lock_seconds = 60.0
    ids = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps(fail_at=0)] * 23)
    for job_id in ids:
        await served.reaches(job_id, JobState.FAILED)
    page = await opened(browser, served)
    await page.goto("/admin/jobs/list?rows=20")
    await page.get_by_role("checkbox", name="Failed", exact=True).check()
    await page.get_by_role("button", name="Search").click()
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(20)
    await page.get_by_role("link", name="Older").click()
    await expect(rows).to_have_count(3)
    assert "state=Failed" in page.url
    await page.get_by_label("Id, tag, or words of a summary or an error").fill("refused record 0")
    await page.get_by_role("button", name="Search").click()
    await expect(rows).to_have_count(20)
    await page.get_by_label("All jobs of this page").check()
    reported = page.locator("[data-hint]")
    await expect(reported).to_have_text("20 selected")
    await rows.first.get_by_role("checkbox").uncheck()
    await expect(reported).to_have_text("19 selected")
    all_rows = page.get_by_label("All jobs of this page")
    assert await all_rows.evaluate("box => box.indeterminate && !box.checked")
    await page.get_by_label("All matching").check()
    await expect(reported).to_contain_text("on every page")
    await expect(rows.first.get_by_role("checkbox")).to_be_disabled()
    await page.get_by_label("All matching").uncheck()
    await all_rows.check()
    await all_rows.uncheck()
    await expect(reported).to_contain_text("Select jobs")
    await all_rows.check()
    await page.get_by_role("button", name="Retry…").click()
    await page.get_by_role("button", name="Retry 20 jobs").click()
    await expect(page.get_by_text("Queued again: 20.")).to_be_visible()
    await expect(page).not_to_have_url(re.compile("notice"))
    # The question was the answer to a form, which Back could not show again.
    await page.go_back()
    await expect(page.get_by_role("button", name="Retry 20 jobs")).to_be_visible()


async def test_a_row_of_the_list_is_live(browser: Browser, served: Site) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=20, pause=0.1))
    page = await opened(browser, served)
    await page.goto("/admin/jobs/list")
    row = page.locator(f'tr[data-job="{job_id}"]')
    await row.get_by_role("checkbox").check()
    await expect(row).to_contain_text("Completed")
    await expect(row.get_by_role("checkbox")).to_be_checked()
    await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await page.get_by_role("link", name="1 new job – show").click()
    await expect(page.locator("tbody tr")).to_have_count(2)


async def test_a_viewer_logs_in_by_password_and_sees_no_button(
    browser: Browser, served: Site
) -> None:
    await served.add_user("vera", "Viewer")
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=5000, pause=0.1))
    await served.reaches(job_id, JobState.RUNNING)
    page = await blank(browser, served)
    await page.goto(f"/admin/jobs/{job_id}")
    await page.get_by_label("Name").fill("vera")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator(".state-line")).to_contain_text("Running")
    await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    answer = await page.evaluate(
        "path => fetch(path, {method: 'POST'}).then(a => a.status)", f"/admin/jobs/{job_id}/cancel"
    )
    assert answer == 403
    await served.scheduling.cancel(job_id)
