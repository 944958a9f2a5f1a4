"""What is known of workers that left: how, when, and what became of their jobs."""

from datetime import timedelta

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import WaitingJob
from background_jobs.support import add_worker, claim, new_job, seen
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.workers.status import DepartedWorker, Workers
from modhost_background_jobs.model import (
    UNREGISTERED,
    CurrentWorker,
    DepartedRow,
    Departure,
    Heartbeat,
    Vitals,
    WorkerInfo,
    as_bulk_runner,
)
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.departed import MAX_KEPT, DepartedWorkers
from modhost_background_jobs.storage.tables import WORKERS
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

LATER = START + timedelta(minutes=1)


async def departed(database: Database) -> list[DepartedRow]:
    return await QueueLoad(database).departed(10)


async def left(jobs: Jobs) -> list[DepartedWorker]:
    return list(await (await jobs.service(Workers)).departed())


async def test_a_worker_that_dies_leaves_its_last_heartbeat_and_how_many_jobs_it_had(
    database: Database, store: JobStore
) -> None:
    await add_worker(store)
    await store.insert([new_job() for _ in range(3)])
    await claim(store)
    await store.beat("w1", START + timedelta(seconds=10))
    assert await departed(database) == []
    await store.rescue(await seen(store), 3, LATER)
    (row,) = await departed(database)
    assert (row.name, row.departure, row.jobs) == ("w1", Departure.DIED, 3)
    assert (row.heartbeat_at, row.left_at) == (START + timedelta(seconds=10), LATER)
    assert (row.host, row.queues, row.started_at) == ("here", ("*",), START)


async def test_jobs_that_a_later_sweep_finds_are_counted_too(
    database: Database, store: JobStore
) -> None:
    await add_worker(store)
    await store.insert([new_job() for _ in range(2)])
    await claim(store)
    await store.unregister("w1", START, Departure.DIED, 1)
    await store.rescue(Heartbeat("w1", UNREGISTERED), 3, LATER)
    (row,) = await departed(database)
    assert row.jobs == 3


async def test_a_worker_that_comes_back_has_not_left_and_is_as_quiet_as_before(
    database: Database, store: JobStore
) -> None:
    await add_worker(store)
    async with database.session() as session:
        quieting = WORKERS.update().values(quiet_since=START, quieted_by="user:vera")
        await (await session.connection()).execute(quieting)
    known = await store.beat("w1", START)
    assert known is not None
    assert known.is_quiet
    await store.rescue(await seen(store), 3, LATER)
    assert await store.beat("w1", LATER) is None
    await add_worker(store)
    assert await departed(database) == []
    (worker,) = await QueueLoad(database).workers()
    assert (worker.quiet_since, worker.quieted_by) == (START, "user:vera")


async def test_what_a_worker_says_of_itself_is_read(database: Database, store: JobStore) -> None:
    await add_worker(store)
    known = await store.beat("w1", START, Vitals(123_000_000, START, LATER))
    assert known is not None
    assert not known.is_quiet
    (worker,) = await QueueLoad(database).workers()
    assert (worker.memory, worker.blocked_since, worker.stopping_since) == (
        123_000_000,
        START,
        LATER,
    )


async def test_bulk_runners_leave_no_trace(database: Database, store: JobStore) -> None:
    worker = WorkerInfo(
        name="w", host="here", process=1, version="1", max_concurrency=1, job_types=("tests.Job",)
    )
    runner = as_bulk_runner(worker)
    await store.register(runner, START)
    await store.unregister(runner.name, LATER, Departure.STOPPED)
    await store.register(runner, START)
    await store.rescue(await seen(store, runner.name), 3, LATER)
    assert await departed(database) == []


async def test_they_are_kept_for_a_day_and_no_more_of_them_than_anybody_reads(
    database: Database, store: JobStore, clock: MovingClock
) -> None:
    gone = DepartedWorkers(database)
    for name, ago in (("old", timedelta(days=1, minutes=1)), ("new", timedelta(hours=23))):
        await add_worker(store, name)
        await store.unregister(name, clock.now() - ago, Departure.STOPPED)
    await gone.forget(clock.now())
    assert [each.name for each in await departed(database)] == ["new"]
    for number in range(12):
        await add_worker(store, f"w{number}")
        await store.unregister(f"w{number}", clock.now(), Departure.CRASHED)
    assert MAX_KEPT <= 1000
    await gone.forget(clock.now(), most=5)
    assert len(await departed(database)) == 5


async def test_a_worker_that_stops_says_what_it_had_to_let_go_of(database_url: str) -> None:
    async with jobs_host(database_url, shutdown_grace="20ms") as jobs:
        await jobs.reaches(await jobs.scheduling.enqueue(WaitingJob), JobState.RUNNING)
        name = (await jobs.service(CurrentWorker)).name
    async with jobs_host(database_url, mode="Producer") as producer:
        (worker,) = await left(producer)
    assert (worker.name, worker.departure, worker.jobs) == (name, Departure.STOPPED, 1)
    assert worker.left_at >= worker.heartbeat_at


async def test_a_quiet_worker_that_stops_was_drained(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        own = await jobs.service(CurrentWorker)
        await jobs.scheduling.quiet_worker(own.name or "")
        with anyio.fail_after(20):
            while not own.is_quiet:
                await anyio.sleep(0.01)
    async with jobs_host(database_url, mode="Producer") as producer:
        (worker,) = await left(producer)
    assert (worker.departure, worker.jobs) == (Departure.DRAINED, 0)


async def test_a_worker_whose_processor_crashes_is_followed_by_another(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_host(database_url) as jobs:
        own = await jobs.service(CurrentWorker)
        name = own.name

        async def crash(*_: object) -> None:
            raise MemoryError

        monkeypatch.setattr(await jobs.service(ClaimLoop), "claim", crash)
        monkeypatch.setattr("modhost.failures.failures.failed", _raise)
        await jobs.scheduling.enqueue(WaitingJob)
        with anyio.fail_after(20):
            while own.name == name:
                await anyio.sleep(0.05)
        monkeypatch.undo()
        (worker,) = [each for each in await left(jobs) if each.name == name]
        jobs.probe.gate.set()
    assert worker.departure is Departure.CRASHED


def _raise(_logger: object, _what: str, error: BaseException) -> None:
    raise error
