"""The whole host, by a clock that the tests move."""

from datetime import UTC, datetime

import pytest

from moving_clock import MovingClock


@pytest.fixture
def clock() -> MovingClock:
    """It starts now, as files and sessions do."""
    return MovingClock(datetime.now(UTC))
