"""The whole host, by a clock that the tests move."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from modhost.testing import RunningHost
from moving_clock import MovingClock
from security.support import whole_host


@pytest.fixture
def clock() -> MovingClock:
    """It starts now, as files and sessions do."""
    return MovingClock(datetime.now(UTC))


@pytest.fixture
async def host(sqlite_url: str, clock: MovingClock) -> AsyncIterator[RunningHost]:
    async with whole_host(sqlite_url, clock) as host:
        yield host
