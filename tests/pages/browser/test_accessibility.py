"""Every page of the shop and of an empty installation under axe; none is wider than its window."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from pages.browser.chromium import blank
from pages.gallery.installations import Gallery, empty_gallery, shop_gallery
from pages.gallery.visits import ALIKE, visits
from sweeps import EXHAUSTIVE

# Dozens of pages, which take minutes on a busy machine.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]


class View(NamedTuple):
    """A window with a page; `text` is the size of the reader's text, in percent."""

    width: int
    scheme: str
    text: int = 100


WIDE: Final = View(1280, "light")
PHONE: Final = View(390, "dark")
# A window of 1280 at 200 % has 640 pixels of CSS; text alone is enlarged at the full width.
OTHERS: Final = (
    View(1280, "dark"),
    View(390, "light"),
    View(640, "light"),
    View(1280, "light", 200),
)
NARROWEST: Final = 320
"""At this width nothing may need scrolling in two directions (WCAG 1.4.10)."""
_ENLARGE: Final = "size => { document.documentElement.style.fontSize = size }"
_RUN: Final = """() => axe.run({ preload: false, resultTypes: ["violations"] }).then(found =>
    found.violations.map(each => each.help + ": " +
        each.nodes.slice(0, 3).map(node => node.html.slice(0, 150)).join("; ")))"""
_CUT: Final = """narrow => {
    const cut = [];
    if (document.documentElement.scrollWidth > innerWidth) cut.push("wider than its window");
    for (const each of narrow ? document.querySelectorAll(".table-scroll:has(.stacked)") : [])
        if (each.checkVisibility() && each.scrollWidth > each.clientWidth)
            cut.push("cut at the right: " + each.ariaLabel);
    return cut;
}"""
# Links of one name that lead to several pages.
_SEVERAL: Final = """() => {
    const leads = new Map();
    for (const link of document.querySelectorAll("main a[href]")) {
        const name = link.getAttribute("aria-label")
            ?? link.textContent + [...link.querySelectorAll("img")].map(image => image.alt);
        const words = name.trim().replace(/\\s+/g, " ");
        const to = leads.get(words) ?? new Set();
        if (link.checkVisibility()) leads.set(words, to.add(link.href));
    }
    return [...leads].filter(([, to]) => to.size > 1).map(([name]) => "several links: " + name);
}"""
_Installation = Callable[[str], AbstractAsyncContextManager[Gallery]]


async def test_axe_finds_nothing(browser: Browser, sqlite_url: str) -> None:
    """Each page once, wide and light or narrow and dark; and whether it fits everywhere."""
    async with shop_gallery(sqlite_url) as gallery:
        found = []
        number = 0
        async for name, page in visits(browser, gallery, without=ALIKE):
            number += 1
            found += await _problems(page, name, [WIDE if number % 2 else PHONE])
            found += await _cut(page, f"{name} at {NARROWEST}", NARROWEST)
        assert not found, "\n".join(found)


@EXHAUSTIVE
@pytest.mark.parametrize("serving", [shop_gallery, empty_gallery])
async def test_axe_finds_nothing_at_any_size_in_any_colours(
    browser: Browser, sqlite_url: str, serving: _Installation
) -> None:
    async with serving(sqlite_url) as gallery:
        found = []
        async for name, page in visits(browser, gallery):
            found += await _problems(page, name, [WIDE, PHONE, *OTHERS])
            found += await _cut(page, f"{name} at {NARROWEST}", NARROWEST)
        assert not found, "\n".join(found)


async def test_a_start_that_nobody_has_made_use_of_is_accessible(
    browser: Browser, sqlite_url: str
) -> None:
    async with empty_gallery(sqlite_url) as gallery:
        page = await blank(browser, gallery.served)
        await page.goto(await gallery.served.login_link())
        found = []
        for name in ("start", "dashboard", "list", "recurring", "workers", "reports"):
            await page.goto(gallery.paths[name])
            found += await _problems(page, name, [PHONE])
        assert not found, "\n".join(found)


async def _problems(page: Page, name: str, views: Sequence[View]) -> list[str]:
    await page.evaluate(Axe().axe_script)
    found = [f"{name}: {problem}" for problem in await page.evaluate(_SEVERAL)]
    for view in views:
        at = f"{name} at {view.width}, {view.scheme}, text of {view.text} %"
        await page.set_viewport_size({"width": view.width, "height": 800})
        await page.emulate_media(color_scheme="dark" if view.scheme == "dark" else "light")
        await page.evaluate(_ENLARGE, f"{view.text}%")
        found += [f"{at}: {problem}" for problem in await page.evaluate(_RUN)]
        found += await _cut(page, at, view.width)
    await page.evaluate(_ENLARGE, "")
    return found


async def _cut(page: Page, at: str, width: int) -> list[str]:
    """Return what does not fit into the width of a window."""
    await page.set_viewport_size({"width": width, "height": 800})
    return [f"{at}: {what}" for what in await page.evaluate(_CUT, width < 700)]
