"""The thread that says that a worker lives."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from background_jobs.hung_client import rows_locked
from background_jobs.support import TYPES
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.model import CurrentWorker, Departure, WorkerInfo
from modhost_background_jobs.storage import JobStore, open_wakeups
from modhost_background_jobs.worker.heartbeat import Connectivity, HeartbeatThread

pytestmark = pytest.mark.anyio

CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


WORKER = WorkerInfo(
    name="beating", host="here", process=1, version="1", max_concurrency=1, job_types=TYPES
)


class BeatingClock(SystemClock):
    def heartbeat_time(self) -> datetime:
        return self.now()

    async def agrees(self) -> bool:
        return True


def connectivity(database_url: str) -> Connectivity:
    database = Database(database_url)
    return Connectivity(database, open_wakeups(database))


@asynccontextmanager
async def _beating(database_url: str) -> AsyncIterator[None]:
    heartbeat = HeartbeatThread(
        WORKER, database_url, 0.02, BeatingClock(), connectivity(database_url)
    )
    heartbeat.start()
    try:
        yield
    finally:
        await heartbeat.stop()


async def test_it_beats_and_registers_a_worker_that_is_unknown(
    store: JobStore, database_url: str
) -> None:
    async with _beating(database_url):
        await _beats(store, 2)


async def test_it_takes_one_connection(
    store: JobStore, database: Database, database_url: str
) -> None:
    """It held a second one, in the pool of sessions that it never opens."""
    if database.dialect == "sqlite":
        pytest.skip("Connections to a file cost nothing that is bounded.")
    await _has_connections(database, 2)
    async with _beating(database_url):
        await _beats(store, 2)
        await _has_connections(database, 3)


async def _has_connections(database: Database, number: int) -> None:
    with anyio.fail_after(30):
        while True:
            async with database.postgres.acquire() as connection:
                if await connection.fetchval(CONNECTIONS) == number:
                    return
            await anyio.sleep(0.02)


async def test_a_beat_in_flight_registers_no_worker_that_has_left(
    store: JobStore, database_url: str
) -> None:
    under_way, may_go_on = threading.Event(), threading.Event()

    class HeldUpClock(BeatingClock):
        """Asked for the time by each beat."""

        def heartbeat_time(self) -> datetime:
            under_way.set()
            may_go_on.wait(20)
            return super().heartbeat_time()

    await store.register(WORKER, BeatingClock().now())
    heartbeat = HeartbeatThread(
        WORKER, database_url, 5.0, HeldUpClock(), connectivity(database_url)
    )
    heartbeat.start()
    await anyio.to_thread.run_sync(under_way.wait, 20)
    await heartbeat.stop()
    await store.unregister(WORKER.name, BeatingClock().now(), Departure.STOPPED)
    may_go_on.set()
    await heartbeat.stop()
    assert WORKER.name not in {each.worker for each in await store.heartbeats()}


async def test_a_worker_begins_nothing_until_it_is_registered_again(
    store: JobStore, database_url: str
) -> None:
    registers, may_register = threading.Event(), threading.Event()

    class HeldUpClock(BeatingClock):
        """Asked for the time by a beat, and by the registration after it."""

        calls = 0

        def heartbeat_time(self) -> datetime:
            self.calls += 1
            if self.calls == 2:
                registers.set()
                may_register.wait(20)
            return super().heartbeat_time()

    clock, own = HeldUpClock(), CurrentWorker()
    own.begin(WORKER.name, lease_seconds=30.0)
    own.renew(clock.monotonic() - 60)
    heartbeat = HeartbeatThread(WORKER, database_url, 0.02, clock, connectivity(database_url), own)
    heartbeat.start()
    try:
        await anyio.to_thread.run_sync(registers.wait, 20)
        assert not own.may_begin(clock.monotonic(), clock.monotonic())
        may_register.set()
        await _beats(store, 1)
        assert own.may_begin(clock.monotonic(), clock.monotonic())
    finally:
        may_register.set()
        await heartbeat.stop()


async def _beats(store: JobStore, count: int) -> None:
    """Wait for beats beyond the one that registers."""
    seen: set[int] = set()
    with anyio.fail_after(10):
        while len(seen) <= count:
            seen |= {each.beats for each in await store.heartbeats() if each.worker == "beating"}
            await anyio.lowlevel.checkpoint()


async def test_a_locked_row_of_the_worker_is_not_taken_for_a_network_that_is_cut_off(
    store: JobStore, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that work would be given up when the row is free again."""
    if database.dialect == "sqlite":
        pytest.skip("A file has no locks of rows.")
    monkeypatch.setattr("modhost_background_jobs.worker.heartbeat.MIN_SILENCE_SECONDS", 0.5)
    reconnected = open_wakeups(database)
    connectivity = Connectivity(database, reconnected)
    ticket = reconnected.reconnected.ticket()
    heartbeat = HeartbeatThread(WORKER, database_url, 5.0, BeatingClock(), connectivity)
    await store.register(WORKER, BeatingClock().now())
    async with rows_locked(database_url, "workers", f"name = '{WORKER.name}'"):
        heartbeat.start()
        await anyio.sleep(1.5)
    await _beats(store, 1)
    await anyio.sleep(0.1)
    await heartbeat.stop()
    assert not ticket.is_set()
