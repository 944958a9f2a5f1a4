"""Each page by the keyboard alone, and without JavaScript: nothing is out of reach or dead."""

from typing import Final

import pytest
from playwright.async_api import Browser, Page

from pages.gallery.installations import shop_gallery
from pages.gallery.visits import visits
from sweeps import EXHAUSTIVE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1200), EXHAUSTIVE]

STOPS: Final = "a[href], button, input, select, textarea, summary, [tabindex]"
_EXPECTED: Final = f"""() => [...document.querySelectorAll({STOPS!r})]
    .filter(each => each.tabIndex >= 0 && !each.disabled && each.type !== "hidden"
        && each.checkVisibility({{ visibilityProperty: true }}))
    .map((each, number) => {{ each.stop = number; return each.outerHTML.slice(0, 120); }})"""
# Nothing changes meanwhile, and Tab does not continue after what was clicked last.
_BEGIN: Final = """() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
}"""
# Where the focus is, and whether one sees it; -1 outside of the page.
_STOP: Final = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return [-1, true];
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    const box = at.querySelector(".box");
    const isOutlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    return [at.stop ?? -2, isOutlined || box && parseFloat(getComputedStyle(box).strokeWidth) >= 3];
}"""
# A button sends a form, a link leads somewhere, a field belongs to a form.
_DEAD: Final = """() => [...document.querySelectorAll("a, button, input, select, textarea")]
    .filter(each => each.type !== "hidden" && each.checkVisibility())
    .filter(each => each.matches("a") ? !each.href : !each.form || each.type === "button")
    .map(each => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("script", [True, False])
async def test_tab_reaches_everything_in_the_order_of_the_page(
    browser: Browser, sqlite_url: str, script: bool
) -> None:
    async with shop_gallery(sqlite_url) as gallery:
        found: list[str] = []
        async for name, page in visits(browser, gallery, script=script):
            if name != "keyboard dialog":
                found += [f"{name}: {what}" for what in await _missed(page)]
            if not script:
                found += [f"{name}: dead: {what}" for what in await page.evaluate(_DEAD)]
        assert not found, "\n".join(found)


async def _missed(page: Page) -> list[str]:
    """Press Tab through a page; return what it jumped over, and where the focus was not seen."""
    await page.evaluate(_BEGIN)
    expected: list[str] = await page.evaluate(_EXPECTED)
    reached: list[int] = []
    seen: set[int] = set()
    # A field with a time has a stop for each of its parts.
    for _ in range(8 * len(expected)):
        await page.keyboard.press("Tab")
        stop, is_seen = await page.evaluate(_STOP)
        if stop == -1 or (reached and stop < reached[-1]):
            break
        if is_seen:
            seen.add(stop)
        if stop not in reached[-1:]:
            reached.append(stop)
    missed = [expected[stop] for stop in range(len(expected)) if stop not in reached]
    return [f"not reached: {each}" for each in missed] + [
        f"focus not seen: {expected[stop]}" for stop in reached if stop not in seen
    ]
