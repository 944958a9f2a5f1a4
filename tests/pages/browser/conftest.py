"""One Chromium for the tests of a file, each with windows of its own."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from pages.browser.chromium import browser as started


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """For all of them, since a browser belongs to the event loop that started it."""
    return "asyncio"


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Not of all files: the event loop would be that of all later tests too."""
    async with started() as running:
        yield running


@pytest.fixture
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """A Chromium that knows nothing of earlier tests."""
    yield chromium
    for context in list(chromium.contexts):
        await context.close()
