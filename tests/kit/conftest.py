from collections.abc import Sequence

import pytest

from kit.parcels import ParcelsModule
from modhost import Module
from modhost.testing import MovableClock
from modhost_background_jobs.module import BackgroundJobsModule


@pytest.fixture
def modhost_modules() -> Sequence[Module]:
    return [BackgroundJobsModule(), ParcelsModule()]


@pytest.fixture
def modhost_config() -> dict[str, object]:
    return {}


@pytest.fixture
def modhost_database_url(database_url: str) -> str:
    return database_url


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()
