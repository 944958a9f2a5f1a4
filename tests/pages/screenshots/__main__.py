"""Pictures of every page: `python -m pages.screenshots FOLDER`, which `make screenshots` does."""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio
from playwright.async_api import Page

from pages.browser.chromium import browser
from pages.gallery.installations import Gallery, empty_gallery, shop_gallery
from pages.gallery.visits import visits

WIDTHS: Final = (1280, 390)
SCHEMES: Final = ("light", "dark")
MAX_HEIGHT: Final = 12_000
"""Of longer pages there is the beginning alone: Chromium needs a minute for all."""
SETTLES_MS: Final = 150
"""So long what changed with the width or the colours still moves."""
_Installation = Callable[[str], AbstractAsyncContextManager[Gallery]]
INSTALLATIONS: Final[dict[str, _Installation]] = {"shop": shop_gallery, "empty": empty_gallery}


async def take(folder: Path) -> None:
    """Take pictures of each page of the shop and of an empty installation."""
    async with anyio.create_task_group() as group:
        for name, serving in INSTALLATIONS.items():
            group.start_soon(_take, folder / name, serving)


async def _take(folder: Path, serving: _Installation) -> None:
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data:
        async with browser() as running, serving(f"sqlite:///{data}/modhost.db") as gallery:
            async for name, page in visits(running, gallery):
                await _pictures(page, folder / name.replace(" ", "-"))


async def _pictures(page: Page, file: Path) -> None:
    """Take pictures of one page: wide and narrow, light and dark."""
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            await page.wait_for_timeout(SETTLES_MS)
            height = await page.evaluate("document.documentElement.scrollHeight")
            path = f"{file}-{width}-{scheme}.png"
            await page.screenshot(path=path, full_page=height < MAX_HEIGHT)


if __name__ == "__main__":
    anyio.run(take, Path(sys.argv[1]))
