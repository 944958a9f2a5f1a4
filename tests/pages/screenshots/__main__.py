"""Pictures of every page: `python -m pages.screenshots FOLDER`, which `make screenshots` does."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from pages.browser.chromium import browser
from pages.busy import make_busy
from pages.filling import filled
from pages.queues.limited import limited
from pages.site import site
from pages.workflows.nightly import started

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


async def take(folder: Path) -> None:
    """Take a picture of each page, wide and narrow, light and dark."""
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data:
        database = f"sqlite:///{data}/modhost.db"
        async with site(database) as served, site(database), browser() as running:
            await make_busy(served)
            paths = {"login": "/login", **await filled(served), **await limited(served)}
            paths |= await started(served)
            for width in WIDTHS:
                for scheme in SCHEMES:
                    context = await running.new_context(
                        base_url=served.url,
                        viewport={"width": width, "height": 800},
                        color_scheme="dark" if scheme == "dark" else "light",
                    )
                    page = await context.new_page()
                    for name, path in paths.items():
                        if name == "start":
                            await page.goto(await served.login_link())
                        await page.goto(path)
                        await page.wait_for_timeout(700)
                        file = folder / f"{name.replace(' ', '-')}-{width}-{scheme}.png"
                        await page.screenshot(path=file, full_page=True)
                    await context.close()


if __name__ == "__main__":
    anyio.run(take, Path(sys.argv[1]))
