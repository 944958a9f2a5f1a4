"""The figures of a chart, by pointer and by keyboard."""

import re

import pytest
from playwright.async_api import Browser, expect

from modhost import new_id
from modhost.testing import MovableClock
from modhost_background_jobs.contracts import JobId
from modhost_reports_example.contracts import ColumnSummary, ReportRequest, ReportRow, ReportType
from modhost_reports_example.storage import ReportStorage
from pages.browser.chromium import opened
from pages.busy import remember_a_day
from pages.site import site

pytestmark = pytest.mark.anyio


async def test_each_part_of_a_chart_is_read_by_pointer_and_by_keys(
    browser: Browser, sqlite_url: str
) -> None:
    # Neither a minute nor a bar begins meanwhile.
    async with site(sqlite_url, mode="Producer", clock=MovableClock()) as served:
        await remember_a_day(served)
        page = await opened(browser, served)
        await page.goto("/admin/jobs?span=day")
        finished = page.get_by_role("img", name=re.compile("^Finished jobs"))
        tip = page.locator(".chart-tip")
        await finished.focus()
        await expect(tip).to_have_text(re.compile(r"\d completed, \d+ failed so far$"))
        last = await tip.text_content()
        await page.keyboard.press("ArrowLeft")
        await expect(tip).to_have_text(
            re.compile(r"^\d+ \w{3} \d\d:\d0 [\d\s]+ completed, \d+ failed$")
        )
        await page.keyboard.press("End")
        await expect(tip).to_have_text(str(last))
        await page.keyboard.press("Home")
        first = await tip.text_content()
        await page.keyboard.press("Escape")
        await expect(tip).to_be_hidden()
        await finished.hover(position={"x": 1, "y": 50})
        await expect(tip).to_have_text(str(first))
        await page.get_by_role("img", name=re.compile("^Run time")).hover()
        await expect(tip).to_have_text(re.compile(r"p50 .+ s, p95 .+ s$"))
        await page.mouse.move(0, 0)
        await expect(tip).to_be_hidden()


async def test_each_period_of_a_report_is_read_in_the_same_way(
    browser: Browser, sqlite_url: str
) -> None:
    def row(period: str, mean: float) -> ReportRow:
        summary = ColumnSummary(sum=mean, mean=mean, min=mean, max=mean)
        return ReportRow(period=period, count=1, values={"rain": summary, "frost|ice": summary})

    async with site(sqlite_url, mode="Producer") as served:
        async with served.host.scope() as scope:
            storage = await scope.get(ReportStorage)
            job_id = JobId(new_id())
            await storage.begin(job_id, ReportRequest(type=ReportType.MONTHLY, source="weather"))
            rows = [row("2012-01", -1.5), row("2012-02", 2), row("2012-03", 4)]
            await storage.complete(job_id, rows)
        page = await opened(browser, served)
        await page.goto("/reports")
        means = page.get_by_role("img", name=re.compile("^Means by month, of weather"))
        tip = page.locator(".chart-tip")
        await means.focus()
        await expect(tip).to_have_text("2012-03 rain 4, frost|ice 4")
        await page.keyboard.press("ArrowLeft")
        await expect(tip).to_have_text("2012-02 rain 2, frost|ice 2")
        await page.keyboard.press("Home")
        await expect(tip).to_have_text("2012-01 rain -1.5, frost|ice -1.5")
        await page.keyboard.press("Escape")
        await expect(tip).to_be_hidden()
        box = await means.bounding_box()
        assert box is not None
        await means.click(position={"x": box["width"] / 2, "y": 20})
        await expect(tip).to_have_text("2012-02 rain 2, frost|ice 2")
        await page.mouse.move(0, 0)
        await page.keyboard.press("Tab")
        await expect(tip).to_be_hidden()
