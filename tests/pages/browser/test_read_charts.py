"""The figures of a chart, by pointer and by keyboard."""

import re

import pytest
from playwright.async_api import Browser, expect

from pages.browser.chromium import opened
from pages.busy import remember_a_day
from pages.site import site

pytestmark = pytest.mark.anyio

expect.set_options(timeout=20_000)


async def test_each_part_of_a_chart_is_read_by_pointer_and_by_keys(
    browser: Browser, sqlite_url: str
) -> None:
    async with site(sqlite_url, mode="Producer") as served:
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
            re.compile(r"^\d+ \w{3} \d\d:\d0 \d+ completed, \d+ failed$")
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
