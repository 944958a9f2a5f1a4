"""A site with a client that may do everything."""

from collections.abc import AsyncIterator

import pytest

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
