"""The clock of the queue on SQLite, which has none: that of the other processes."""

from datetime import datetime, timedelta

import pytest

from background_jobs.support import add_worker
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.clocks.shared_clock import SharedClock
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio

DAYS = timedelta(days=10)


class WrongClock(MovingClock):
    """Runs as another does, ten days ahead of it."""

    def __init__(self, right: MovingClock) -> None:
        super().__init__()
        self._right = right

    def now(self) -> datetime:
        return self._right.now() + DAYS

    def monotonic(self) -> float:
        return self._right.monotonic()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_host_whose_clock_is_wrong_goes_by_that_of_its_peers(
    store: JobStore, clock: MovingClock
) -> None:
    # Of two hosts nobody knows which one is right.
    await add_worker(store, "w2")
    shared = SharedClock(WrongClock(clock), store, BackgroundJobsOptions())
    for _ in range(4):
        clock.advance(2.5)
        for worker in ("w1", "w2"):
            await store.beat(worker, clock.now())
        clock.advance(2.5)
        await shared.agrees()
    assert shared.differs
    assert abs(shared.skew - DAYS) <= timedelta(seconds=5)
    assert abs(shared.now() - clock.now()) <= timedelta(seconds=5)
    # Others judge it by its own.
    assert shared.heartbeat_time() == clock.now() + DAYS
