"""Pictures of every page: `python -m pages.screenshots FOLDER`, which `make screenshots` does."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from modhost_background_jobs.contracts import JobState
from modhost_reports_example.contracts import ReportRequest, ReportsContracts, ReportType
from pages.chromium import browser
from pages.demo import ImportCustomersJob, Steps
from pages.filling import filled
from pages.site import Site, site

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


async def take(folder: Path) -> None:
    """Take a picture of each page, wide and narrow, light and dark."""
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data:
        async with site(f"sqlite:///{data}/modhost.db") as served, browser() as running:
            await _make_a_report(served)
            await served.jobs.enqueue_many(ImportCustomersJob, [Steps()] * 40)
            paths = {"login": "/login", **await filled(served)}
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


async def _make_a_report(served: Site) -> None:
    async with served.host.scope() as scope:
        reports = await scope.get(ReportsContracts)
        request = ReportRequest(type=ReportType.MONTHLY, source="seattle-weather")
        await served.reaches(await reports.request(request), JobState.COMPLETED)


if __name__ == "__main__":
    anyio.run(take, Path(sys.argv[1]))
