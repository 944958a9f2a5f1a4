"""The clock of the queue on a host whose own clock is wrong."""

from datetime import datetime, timedelta

import pytest

from modhost.clock import SystemClock
from modhost_background_jobs.model import CurrentWorker
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.clocks.shared_clock import (
    ClockWatch,
    SharedClock,
    describe_skew,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

DAYS = timedelta(days=10)
OPTIONS = BackgroundJobsOptions()


class WrongClock(SystemClock):
    """Ahead by a time that a test sets."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def wrong() -> WrongClock:
    return WrongClock()


@pytest.fixture
def shared(wrong: WrongClock, store: JobStore) -> SharedClock:
    return SharedClock(wrong, store, OPTIONS)


def error_of(shared: SharedClock) -> timedelta:
    return abs(shared.now() - SystemClock().now())


@pytest.mark.parametrize("ahead", [DAYS, -DAYS])
async def test_a_host_whose_clock_is_wrong_goes_by_that_of_the_database(
    shared: SharedClock, wrong: WrongClock, caplog: pytest.LogCaptureFixture, ahead: timedelta
) -> None:
    caplog.set_level("INFO")
    wrong.ahead = ahead
    assert not await shared.agrees()
    assert error_of(shared) < timedelta(seconds=5)
    assert abs(shared.skew - ahead) < timedelta(seconds=5)
    (trouble,) = shared.troubles()
    assert f"{describe_skew(shared.skew)} the database's" in trouble
    wrong.ahead = timedelta(0)
    assert await shared.agrees()
    # The database's time is between the readings before and after its answer.
    assert shared.skew == timedelta(0)
    assert shared.troubles() == []
    assert [record.levelname for record in caplog.records if "clock" in record.message] == [
        "ERROR",
        "INFO",
    ]


async def test_a_jump_does_not_count_before_it_is_measured(
    shared: SharedClock, wrong: WrongClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modhost_background_jobs.storage.clocks.shared_clock.CHECK_SECONDS", 0.0)
    assert await shared.agrees()
    wrong.ahead = DAYS
    assert error_of(shared) < timedelta(seconds=5)


async def test_a_clock_that_differs_a_little_is_its_own(
    shared: SharedClock, wrong: WrongClock
) -> None:
    wrong.ahead = timedelta(seconds=2)
    assert await shared.agrees()
    assert shared.now() - SystemClock().now() > timedelta(seconds=1)


async def test_the_row_of_the_worker_says_by_how_much_its_clock_differs(
    shared: SharedClock, wrong: WrongClock, store: JobStore, database_url: str
) -> None:
    worker = CurrentWorker()
    worker.name = "w1"
    watch = ClockWatch(shared, store, worker, OPTIONS)
    wrong.ahead = DAYS
    await watch.step()
    assert abs(await noted(database_url) - DAYS.total_seconds()) < 5
    wrong.ahead = timedelta(0)
    await watch.step()
    assert await noted(database_url) == 0


async def noted(database_url: str) -> float:
    import asyncpg

    connection = await asyncpg.connect(database_url)
    skew: float = await connection.fetchval("SELECT clock_skew FROM background_jobs.workers")
    await connection.close()
    return skew
