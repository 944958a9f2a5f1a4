"""A host with an administrator named Anna, and her browser."""

import httpx2
import pytest

from modhost.testing import RunningHost
from security.support import add_user, browser


@pytest.fixture
async def host(host: RunningHost) -> RunningHost:
    await add_user(host, "anna", "Admin")
    return host


@pytest.fixture
async def anna(host: RunningHost) -> httpx2.AsyncClient:
    return await browser(host, "anna")
