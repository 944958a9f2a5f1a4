"""Keys of all pages: for those who want them, and in nobody's way."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect

from pages.browser.chromium import opened
from pages.demo import ImportCustomersJob, Steps
from pages.site import site

pytestmark = pytest.mark.anyio

FOCUSED = "document.activeElement.closest('tr')?.dataset.job ?? document.activeElement.id"


async def test_keys_search_go_to_pages_and_rows_and_are_turned_off(
    browser: Browser, sqlite_url: str
) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        ids = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 3)
        newest, second = (str(id_) for id_ in sorted(ids, reverse=True)[:2])
        page = await opened(browser, served)
        keyboard = page.keyboard
        # The second key of two is waited for by this clock.
        await page.clock.set_fixed_time(datetime.now(UTC))
        await keyboard.press("g")
        await keyboard.press("j")
        await page.wait_for_url("**/admin/jobs")
        await keyboard.type("gl")
        await page.wait_for_url("**/admin/jobs/list")

        for keys, focused in (("j", newest), ("j", second), ("k", newest), ("/", "q")):
            await keyboard.press(keys)
            assert await page.evaluate(FOCUSED) == focused
        # Within a field they are letters, and with Control they are the browser's.
        await keyboard.type("gj?/")
        assert await page.locator("#q").input_value() == "gj?/"
        await page.evaluate("document.activeElement.blur()")
        await keyboard.press("Control+j")
        assert await page.evaluate(FOCUSED) == ""

        await keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keyboard")
        await expect(dialog).to_contain_text("Reports")
        await expect(dialog).to_contain_text("Start page")
        await dialog.get_by_label("Use these keys").uncheck()
        await keyboard.press("Escape")
        await page.reload()
        for key in ("j", "?", "/"):
            await keyboard.press(key)
        assert await page.evaluate(FOCUSED) == ""
        await expect(dialog).to_be_hidden()

        await page.get_by_role("button", name="Keyboard").click()
        await dialog.get_by_label("Use these keys").check()
        await dialog.get_by_role("button", name="Close").click()
        await expect(page.get_by_role("button", name="Keyboard")).to_be_focused()
        await keyboard.type("jj")
        await keyboard.press("Enter")
        await page.wait_for_url(f"**/admin/jobs/{second}")
