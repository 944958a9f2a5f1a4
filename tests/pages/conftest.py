"""A site with a client that may do everything."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from pages.browser.chromium import browser as started
from pages.site import Site, site
from pages.visitor import Visitor


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Site]:
    """A producer and consumer on each kind of database."""
    async with site(database_url) as running:
        yield running


@pytest.fixture
async def visitor(served: Site) -> Visitor:
    """Somebody who may see and manage jobs."""
    return await Visitor.of(served, "BackgroundJobs.*")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with started() as running:
        yield running
