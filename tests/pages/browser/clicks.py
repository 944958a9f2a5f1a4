"""A visitor whose clicks are counted, from the dashboard on."""

import re

from playwright.async_api import Locator, Page, expect

MAX_CLICKS = 3


class Clicks:
    """Counts what has to be clicked, chosen or sent; typing and reading are free."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    async def begin(self) -> None:
        """Open the dashboard."""
        await self.page.goto("/admin/jobs")

    async def click(self, locator: Locator) -> None:
        """Click on anything."""
        self.count += 1
        await locator.click()

    async def link(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Follow a link."""
        await self.click((within or self.page).get_by_role("link", name=name).first)

    async def button(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Press a button."""
        await self.click((within or self.page).get_by_role("button", name=name).first)

    async def send(self, label: str, text: str) -> None:
        """Type into a field, and send its form."""
        self.count += 1
        field = self.page.get_by_role("main").get_by_label(label)
        await field.fill(text)
        async with self.page.expect_navigation():
            await field.press("Enter")

    async def reads(self, *texts: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Expect the texts on the page, and no click too many."""
        for text in texts:
            await expect(within or self.page.get_by_role("main")).to_contain_text(text)
        assert self.count <= MAX_CLICKS, f"{self.count} clicks"

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """Return the row of a table that has a text."""
        return self.page.get_by_role("row").filter(has_text=text).first
