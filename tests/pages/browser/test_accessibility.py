"""Every page under axe, light and dark, wide and narrow; no page is wider than its window."""

from typing import Final, TypeAlias

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from pages.browser.chromium import blank, opened
from pages.filling import filled
from pages.queues.limited import limited
from pages.screenshots.states import STATES, unknown_type
from pages.site import PASSWORD, site
from pages.workflows.nightly import started
from sweeps import EXHAUSTIVE

# Dozens of pages, which take minutes on a busy machine.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]

Variants: TypeAlias = tuple[tuple[int, str, str], ...]
# Colours depend on the scheme, all else on the width; each is checked in both of its values.
VARIANTS: Final = ((1280, "light", "all"), (390, "dark", "all"))
OTHERS: Final = ((1280, "dark", "colours"), (390, "light", "colours"))
SWEPT: Final = pytest.mark.parametrize(
    "variants", [VARIANTS, pytest.param(OTHERS, marks=EXHAUSTIVE)], ids=["variants", "others"]
)
_RUN: Final = """what => axe.run({
    preload: false,
    resultTypes: ["violations"],
    ...(what === "colours" ? { runOnly: ["color-contrast"] } : {}),
}).then(found => found.violations.map(each =>
    each.help + ": " + each.nodes.slice(0, 3).map(node => node.html.slice(0, 150)).join("; ")))"""


@SWEPT
@pytest.mark.parametrize("part", [0, 1])
async def test_axe_finds_nothing(
    browser: Browser, sqlite_url: str, part: int, variants: Variants
) -> None:
    """Half of the pages each, so that the halves run side by side."""
    async with site(sqlite_url) as served:
        paths = {**await filled(served), "unknown type": await unknown_type(served)}
        paths |= {**await limited(served), **await started(served)}
        page = await opened(browser, served)
        found: list[str] = []
        for name in [*paths, *STATES][part::2]:
            if name in paths:
                await page.goto(paths[name])
            else:
                await STATES[name](page, paths)
            found += await _problems(page, name, variants)
        assert not found, "\n".join(found)


@SWEPT
async def test_axe_finds_nothing_for_a_viewer(
    browser: Browser, sqlite_url: str, variants: Variants
) -> None:
    async with site(sqlite_url) as served:
        paths = {**await filled(served), **await limited(served)}
        await served.add_user("vera", "Viewer")
        page = await blank(browser, served)
        await page.goto("/login?next=/admin/jobs")
        found = await _problems(page, "login", variants)
        await page.get_by_label("Name").fill("vera")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        for name in ("failed job", "list", "queues", "users"):
            await page.goto(paths[name])
            found += await _problems(page, name, variants)
        assert not found, "\n".join(found)


async def _problems(page: Page, name: str, variants: Variants) -> list[str]:
    await page.evaluate(Axe().axe_script)
    found = []
    for width, scheme, what in variants:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        at = f"{name} at {width}, {scheme}"
        found += [f"{at}: {problem}" for problem in await page.evaluate(_RUN, what)]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{at}: wider than its window")
    return found
