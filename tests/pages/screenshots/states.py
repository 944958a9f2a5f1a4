"""States of pages that have no address of their own: unfolded, half filled in, refused."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from playwright.async_api import Page

from background_jobs.support import new_job
from modhost_background_jobs.storage import JobStore
from pages.site import Site

LONG_TYPE: Final = "gone." + "AJobWhoseNameIsLongerThanAnyWindowIsWide" * 4


async def unknown_type(served: Site) -> str:
    """Add a job of an unknown type with a very long name; return its path."""
    job = new_job(job_type=LONG_TYPE)
    async with served.host.scope() as scope:
        await (await scope.get(JobStore)).insert([job])
    return f"/admin/jobs/{job.id}"


async def _figures(page: Page, _: Mapping[str, str]) -> None:
    await page.goto("/admin/jobs?span=day")
    await page.get_by_text("The figures as a table").click()


async def _confirmation(page: Page, _: Mapping[str, str]) -> None:
    await page.goto("/admin/jobs/list")
    await page.get_by_label("All matching").check()
    await page.get_by_role("button", name="Cancel…").click()


async def _bad_input(page: Page, paths: Mapping[str, str]) -> None:
    await page.goto(paths["run again"])
    await page.get_by_label("Input").fill("{")
    await page.get_by_role("button", name="Run", exact=True).click()


async def _log_search(page: Page, paths: Mapping[str, str]) -> None:
    await page.goto(f"{paths['finished job']}?log=record 1")


async def _refused(page: Page, _: Mapping[str, str]) -> None:
    await page.goto("/admin/jobs/list?state=Nonsense")


async def _backwards(page: Page, _: Mapping[str, str]) -> None:
    await page.goto("/admin/jobs/list?since=2026-03-02&until=2026-03-01")


STATES: Final[Mapping[str, Callable[[Page, Mapping[str, str]], Awaitable[None]]]] = {
    "figures": _figures,
    "confirmation": _confirmation,
    "bad input": _bad_input,
    "log search": _log_search,
    "refused": _refused,
    "backwards": _backwards,
}
