"""Who is taken for dead, by what a sweeper saw itself."""

from datetime import timedelta

import pytest

from background_jobs.support import add_worker, claim_one, new_job, seen
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService, StallObserver
from modhost_background_jobs.model import CurrentWorker, Heartbeat
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio

BEATS = [Heartbeat("w1", 7)]
OPTIONS = BackgroundJobsOptions(
    heartbeat_interval=timedelta(seconds=5),
    stall_timeout=timedelta(seconds=20),
    stall_sweep_interval=timedelta(seconds=5),
)


class Sweeping:
    """The sweeper of the worker `own`, beside a worker w1 that has a job and does not beat."""

    def __init__(self, store: JobStore, clock: MovingClock) -> None:
        self.store = store
        self.clock = clock
        own = CurrentWorker()
        own.name = "own"
        self.sweeper = StalledJobSweeperService(store, own, OPTIONS, clock)

    async def begin(self) -> None:
        await add_worker(self.store, "own")
        await self.store.insert([new_job(), new_job()])
        await claim_one(self.store)
        await claim_one(self.store, "own")
        await self.sweeper.step()

    async def sweep(self, times: int, *, beat: bool = True) -> None:
        for _ in range(times):
            self.clock.advance(5)
            if beat:
                await self.store.beat("own", self.clock.now())
            await self.sweeper.step()

    async def held(self, worker: str) -> int:
        return len(await self.store.leases(worker))


@pytest.fixture
async def sweeping(store: JobStore, clock: MovingClock) -> Sweeping:
    sweeping = Sweeping(store, clock)
    await sweeping.begin()
    return sweeping


async def test_the_jobs_of_a_silent_worker_are_rescued(sweeping: Sweeping) -> None:
    await sweeping.sweep(3)
    assert await sweeping.held("w1") == 1
    await sweeping.sweep(1)
    assert await sweeping.held("w1") == 0


async def test_a_sweeper_never_takes_its_own_worker_for_dead(sweeping: Sweeping) -> None:
    """A session open for longer than the stall timeout kept SQLite's one writer: the heartbeat
    waited, and the sweeper of the same process, first in the line, took the worker's jobs."""
    await sweeping.sweep(20, beat=False)
    assert await sweeping.held("own") == 1


async def test_nobody_is_dead_while_the_sweepers_own_heart_is_not_heard_of(
    sweeping: Sweeping,
) -> None:
    await sweeping.sweep(2)
    await sweeping.sweep(20, beat=False)
    await sweeping.sweep(3)
    assert await sweeping.held("w1") == 1
    await sweeping.sweep(1)
    assert await sweeping.held("w1") == 0


async def test_after_a_sweep_that_failed_all_have_the_whole_timeout(
    sweeping: Sweeping, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sweeping.sweep(3)
    with monkeypatch.context() as patched:
        patched.setattr(store, "heartbeats", _no_database)
        with pytest.raises(ConnectionRefusedError):
            await sweeping.sweep(1)
    await sweeping.sweep(4)
    assert await sweeping.held("w1") == 1
    await sweeping.sweep(1)
    assert await sweeping.held("w1") == 0


async def test_a_worker_that_beats_in_the_last_moment_is_alive(
    sweeping: Sweeping, store: JobStore
) -> None:
    await sweeping.sweep(3)
    before = await seen(store)
    await store.beat("w1", sweeping.clock.now())
    await sweeping.sweep(1)
    assert await sweeping.held("w1") == 1
    assert await store.rescue(before, 3, sweeping.clock.now()) == []


def test_a_worker_whose_beats_stand_still_for_the_timeout_is_dead() -> None:
    observer = StallObserver(timeout=20, max_gap=7.5)
    assert [observer.stalled(BEATS, at) for at in (0, 5, 10, 15)] == [[]] * 4
    assert observer.stalled(BEATS, 20) == BEATS


def test_a_worker_that_beats_is_alive_however_long_it_takes() -> None:
    observer = StallObserver(timeout=20, max_gap=20)
    for number in range(100):
        assert observer.stalled([Heartbeat("w1", number)], number * 15.0) == []


def test_time_in_which_an_observer_did_not_observe_does_not_count() -> None:
    observer = StallObserver(timeout=20, max_gap=7.5)
    for at in (0, 5, 1000, 1005, 1010):
        assert observer.stalled(BEATS, at) == []
    assert observer.stalled(BEATS, 1015) == BEATS


@pytest.mark.parametrize("outage", [10, 15, 19.9, 20, 60])
def test_an_outage_of_any_length_makes_no_living_worker_dead(outage: float) -> None:
    """The last beat and the last look before it, and 10 s to be heard of after it."""
    observer = StallObserver(timeout=20, max_gap=7.5)
    observer.stalled(BEATS, -4.9)
    observer.stalled(BEATS, 0.1)
    for after in (0.2, 5.2, 10.2):
        assert observer.stalled(BEATS, outage + after) == []


async def _no_database() -> list[Heartbeat]:
    raise ConnectionRefusedError
