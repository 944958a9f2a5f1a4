"""Debian's Chromium, installed when it is missing."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from pages.site import Site

# The shell opens no windows that nobody sees, which would take most of the time.
SHELL: Final = "chromium-headless-shell"
NAMES: Final = (SHELL, "chromium", "chromium-browser", "google-chrome")
# Without these it contacts its maker's hosts, which times out on a machine without internet.
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE: Final = 60_000
"""Milliseconds: on a busy machine everything may take long."""

expect.set_options(timeout=PATIENCE)


def executable() -> str:
    """Return the path of a Chromium; CHROMIUM in the environment names another one."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        _install()
        found = shutil.which(SHELL)
    assert found, f"Install {SHELL}, or name a Chromium by the environment variable CHROMIUM."
    return found


def _install() -> None:
    apt = shutil.which("apt-get")
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt is None or not Path("/etc/debian_version").exists():
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", SHELL]):
        subprocess.run([*sudo, apt, "--quiet", *command], env=environment, check=False, timeout=400)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start a browser."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable(), args=list(QUIET))
        try:
            yield started
        finally:
            await started.close()


async def opened(
    browser: Browser, served: Site, *, script: bool = True, zone: str | None = None
) -> Page:
    """Return a page of an administrator who came by the one-time link."""
    page = await blank(browser, served, script=script, zone=zone)
    await page.goto(await served.login_link())
    return page


async def blank(
    browser: Browser, served: Site, *, script: bool = True, zone: str | None = None
) -> Page:
    """Return a page of somebody who has not come yet, which waits for long on a busy machine."""
    context = await browser.new_context(
        java_script_enabled=script, base_url=served.url, timezone_id=zone
    )
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
    return page


async def show_tab(page: Page, *, hidden: bool) -> None:
    """Put the tab into the background, or bring it back."""
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
