"""A visit of every page of an installation: by an administrator, a viewer, and nobody."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Final

from playwright.async_api import Browser, Page

from pages.browser.chromium import blank, opened
from pages.gallery.installations import VIEWER, Gallery
from pages.site import PASSWORD

LIST: Final = "/admin/jobs/list"


async def _send(page: Page, button: str) -> None:
    """Send a form, and wait for what is shown then."""
    async with page.expect_navigation():
        await page.get_by_role("main").get_by_role("button", name=button).first.click()


async def _figures(page: Page) -> None:
    await page.goto("/admin/jobs?span=day")
    await page.get_by_text("The figures as a table").click()


async def _kept_search(page: Page) -> None:
    await page.goto(f"{LIST}?state=Failed")
    await page.get_by_text("Keep this search").click()
    await page.get_by_label("Name").fill("What has failed")
    await _send(page, "Keep")


async def _notice(page: Page) -> None:
    await page.goto("/admin/jobs/workers")
    await _send(page, "Quiet")


async def _bad_input(page: Page) -> None:
    await page.goto(f"{LIST}?state=Failed")
    await page.locator(".job-cell a").first.click()
    await page.get_by_role("link", name="Edit and run again…").click()
    await page.get_by_label("Input").fill("{")
    await _send(page, "Run")


async def _bad_schedule(page: Page) -> None:
    await page.goto("/admin/jobs/recurring/new")
    await page.get_by_label("Name").fill("Clean up at night")
    await page.get_by_label("Cron expression").fill("61 * * * *")
    await _send(page, "Create")


async def _log_search(page: Page) -> None:
    await page.goto(f"{LIST}?state=Completed&job_type=shop.ImportSupplierFeed")
    await page.locator(".job-cell a").first.click()
    await page.get_by_role("searchbox", name="Words in the log").fill("the")
    await _send(page, "Search")


async def _refused_search(page: Page) -> None:
    await page.goto(f"{LIST}?state=Nonsense")


async def _backwards(page: Page) -> None:
    await page.goto(f"{LIST}?since=2026-03-02T00:00&until=2026-03-01T00:00")


async def _keyboard(page: Page) -> None:
    await page.goto("/admin")
    await page.get_by_role("button", name="Keyboard").click()


async def _menu(page: Page) -> None:
    await page.goto("/")
    await page.locator(".shell-group summary").click()


async def _new_token(page: Page) -> None:
    await page.goto("/admin/tokens")
    await page.get_by_label("Name").fill("Continuous integration")
    await page.get_by_label("See jobs, their logs and schedules").check()
    await _send(page, "Create the token")


async def _revoke(page: Page) -> None:
    await page.goto("/admin/tokens")
    async with page.expect_navigation():
        await page.get_by_role("link", name="Revoke…").first.click()


async def _user(page: Page) -> None:
    await page.goto("/admin/users")
    async with page.expect_navigation():
        await page.get_by_role("link", name=VIEWER).click()


STATES: Final[Mapping[str, Callable[[Page], Awaitable[None]]]] = {
    "figures as a table": _figures,
    "kept search": _kept_search,
    "outcome of an action": _notice,
    "refused input": _bad_input,
    "refused recurring": _bad_schedule,
    "search of a log": _log_search,
    "refused search": _refused_search,
    "backwards search": _backwards,
    "keyboard dialog": _keyboard,
    "menu": _menu,
    "new token": _new_token,
    "revoke token": _revoke,
    "user": _user,
}
"""What has no address of its own: unfolded, half filled in, refused."""
SCRIPTED: Final = frozenset(("keyboard dialog",))
"""What JavaScript alone shows."""


ALIKE: Final = frozenset(
    (
        *("dashboard of a day", "dashboard of a week", "list of failed", "list by due"),
        *("job behind a pause", "completed job", "cancelled job", "skipped job", "delete job"),
        *("confirm cancel", "confirm retry", "confirm reschedule", "finished workflow"),
        *("failed workflow", "retry workflow", "recurring by search", "recurring of code"),
        *("edit recurring", "delete recurring", "type", "unavailable", "server error"),
        *("kept search", "search of a log", "backwards search", "revoke token", "user"),
        # It takes longer than all others.
        "API reference",
        *("list of a viewer", "recurring of operators of a viewer", "start of a viewer"),
    )
)
"""Pages that have much in common with others: they are left out where time is short."""


async def visits(
    browser: Browser,
    gallery: Gallery,
    *,
    script: bool = True,
    without: Collection[str] = (),
) -> AsyncIterator[tuple[str, Page]]:
    """Yield each page with its name while it is open."""
    page = await blank(browser, gallery.served, script=script)
    for name, path in {"login": "/login", "start of nobody": "/"}.items():
        await page.goto(path)
        yield name, page
    await page.close()
    page = await opened(browser, gallery.served, script=script)
    for name, path in gallery.paths.items():
        if name in without:
            continue
        await page.goto(path)
        yield name, page
    if not gallery.has_states:
        return
    for name, visit in STATES.items():
        if name in without or (name in SCRIPTED and not script):
            continue
        await visit(page)
        yield name, page
    await page.close()
    page = await blank(browser, gallery.served, script=script)
    await page.goto("/login?next=/")
    await page.get_by_label("Name").fill(VIEWER)
    await page.get_by_label("Password").fill(PASSWORD)
    await _send(page, "Log in")
    for name in ("start", "list", "failed job", "queues", "recurring of operators", "users"):
        if (seen := f"{name} of a viewer") not in without:
            await page.goto(gallery.paths[name])
            yield seen, page
