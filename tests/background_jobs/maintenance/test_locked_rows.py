"""Rows that a hung client has locked are passed over, and come in turn when they are free."""

from datetime import timedelta

import anyio
import pytest

from background_jobs.hung_client import rows_locked
from background_jobs.schedules import runs, settings
from background_jobs.support import JOB_TYPES, add_worker, claim, claim_one, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import CatchUpPolicy, JobState, OverlapPolicy
from modhost_background_jobs.maintenance.recurring import RecurringJobsService
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService
from modhost_background_jobs.model import CurrentWorker, Ended, LogLine, Released
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.model.steps import StepRow
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.retention import RetentionStore
from modhost_background_jobs.storage.statistics import StatisticsStore
from moving_clock import MovingClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

OPTIONS = BackgroundJobsOptions()
PATIENCE = 20.0
"""Far less than the minute for which a statement waits for a lock."""


@pytest.fixture
def sweeper(store: JobStore, clock: MovingClock) -> StalledJobSweeperService:
    return StalledJobSweeperService(store, CurrentWorker(), OPTIONS, clock)


@pytest.fixture
def service(
    firing: RecurringFiring,
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    clock: MovingClock,
) -> RecurringJobsService:
    return RecurringJobsService(firing, schedules, changes, JOB_TYPES, OPTIONS, clock)


async def sweep(sweeper: StalledJobSweeperService, clock: MovingClock, times: int) -> None:
    for _ in range(times):
        clock.advance(5)
        with anyio.fail_after(PATIENCE):
            await sweeper.step()


@pytest.mark.parametrize("table", ["workers", "jobs"])
async def test_a_sweep_passes_over_what_is_locked_and_comes_back_to_it(
    store: JobStore,
    sweeper: StalledJobSweeperService,
    clock: MovingClock,
    database_url: str,
    table: str,
) -> None:
    """Each sweep waited for the first lock, failed after 60 s, and began again at that place."""
    await store.insert([new_job() for _ in range(3)])
    held = await claim_one(store)
    await add_worker(store, "w2")
    await claim(store, "w2")
    await sweeper.step()
    row = "name = 'w1'" if table == "workers" else f"id = '{held.lease.job_id}'"
    async with rows_locked(database_url, table, row):
        await sweep(sweeper, clock, 4)
        assert await store.leases("w2") == {}
        assert await store.leases("w1") == {held.lease: False}
        await sweep(sweeper, clock, 1)
    await sweep(sweeper, clock, 1)
    assert await store.leases("w1") == {}


async def test_a_locked_schedule_holds_up_no_other(
    service: RecurringJobsService,
    changes: ScheduleChanges,
    listing: JobListing,
    clock: MovingClock,
    database_url: str,
) -> None:
    """Others fired up to 60 s late while a client hung with the row of one."""
    await changes.put(settings("locked"))
    await changes.put(settings("free"))
    clock.advance(600)
    async with rows_locked(database_url, "recurring_jobs", "name = 'locked'"):
        with anyio.fail_after(PATIENCE):
            await service.step()
            assert await runs(listing) == ["Pending"]
            # It comes back to the locked one soon, and does not ask all the time.
            assert 0 < await service.step() <= 1
    await service.step()
    assert await runs(listing) == ["Pending", "Pending"]


async def test_a_next_time_that_is_locked_is_corrected_later(
    schedules: RecurringSchedules, changes: ScheduleChanges, clock: MovingClock, database_url: str
) -> None:
    for name in ("locked", "free"):
        await changes.put(settings(name))
    clock.time -= timedelta(days=1)
    async with rows_locked(database_url, "recurring_jobs", "name = 'locked'"):
        with anyio.fail_after(PATIENCE):
            assert await schedules.pull_back() == 1
    assert await schedules.pull_back() == 1


async def test_a_locked_run_holds_up_no_run_of_another_schedule(
    service: RecurringJobsService,
    changes: ScheduleChanges,
    store: JobStore,
    clock: MovingClock,
    database_url: str,
) -> None:
    ids = [
        await changes.put(settings(name, overlap=OverlapPolicy.QUEUE, catch_up=CatchUpPolicy.ALL))
        for name in ("locked", "free")
    ]
    clock.advance(1200)
    await service.step()
    first = await claim(store, now=clock.now())
    await store.end([Ended(each.lease, JobState.COMPLETED) for each in first], clock.now())
    async with rows_locked(database_url, "jobs", f"recurring_job_id = '{ids[0]}'"):
        with anyio.fail_after(PATIENCE):
            await service.step()
        assert len(await claim(store, now=clock.now())) == 1
    await service.step()
    assert len(await claim(store, now=clock.now())) == 1


async def test_history_of_a_locked_schedule_is_forgotten_later(
    service: RecurringJobsService,
    schedules: RecurringSchedules,
    changes: ScheduleChanges,
    deletion: RetentionStore,
    clock: MovingClock,
    database_url: str,
) -> None:
    for name in ("locked", "free"):
        await changes.put(settings(name))
    clock.advance(600)
    await service.step()
    clock.advance(1)
    async with rows_locked(database_url, "recurring_jobs", "name = 'locked'"):
        with anyio.fail_after(PATIENCE):
            assert await deletion.forget_occurrences(clock.now()) == 1
    assert await deletion.forget_occurrences(clock.now()) == 1
    assert [each.forgotten_until is not None for each in await schedules.all()] == [True, True]


@pytest.mark.parametrize("table", ["finished_jobs", "logs", "attempts", "job_steps"])
async def test_history_that_is_locked_is_deleted_later(
    store: JobStore, deletion: RetentionStore, clock: MovingClock, database_url: str, table: str
) -> None:
    await store.insert([new_job() for _ in range(2)])
    jobs = await claim(store)
    leases = [each.lease for each in jobs]
    await store.append_logs([LogLine(each, 0, clock.now(), "line") for each in leases], 10)
    for each in leases:
        await store.save_step(each, StepRow("step", 1, clock.now(), clock.now(), None))
    failed = [Released(each, clock.now(), "failed", spent=True) for each in leases]
    await store.release(failed, clock.now())
    again = [each.lease for each in await claim(store)]
    await store.end([Ended(each, JobState.COMPLETED) for each in again], clock.now())
    later = clock.now() + timedelta(days=1)
    column = "id" if table == "finished_jobs" else "job_id"
    async with rows_locked(database_url, table, f"{column} = '{leases[0].job_id}'"):
        with anyio.fail_after(PATIENCE):
            assert await deletion.prune(JobState.COMPLETED, later, 10) == 1
            assert await deletion.prune(JobState.COMPLETED, later, 10) == 0
    assert await deletion.prune(JobState.COMPLETED, later, 10) == 1


async def test_figures_that_are_locked_are_deleted_later(
    database: Database, clock: MovingClock, database_url: str
) -> None:
    statistics = StatisticsStore(database)
    old = clock.now() - timedelta(days=3)
    for worker in ("locked", "free"):
        await statistics.save(worker, [(old, MinuteCounts(completed=1))])
    async with rows_locked(database_url, "statistics", "worker = 'locked'"):
        with anyio.fail_after(PATIENCE):
            await statistics.forget(clock.now())
        ((_, left),) = (await statistics.since(old, timedelta(days=1))).items()
        assert left.completed == 1
    await statistics.forget(clock.now())
    assert await statistics.since(old, timedelta(days=1)) == {}
