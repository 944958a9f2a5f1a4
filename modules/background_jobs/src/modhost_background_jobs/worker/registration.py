"""Registration: a worker is known to the others, and sends heartbeats, while it works."""

import asyncio
import importlib.metadata
import logging
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import anyio

from modhost.database import Database
from modhost.failures import describe, failures
from modhost_background_jobs.model import (
    CurrentWorker,
    JobTypes,
    WorkerInfo,
    as_bulk_runner,
    process_name,
)
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import GuardedClock, JobStore, Wakeups, open_store
from modhost_background_jobs.storage.dialects import is_lock_timeout

logger = logging.getLogger(__name__)

VERSION: Final = importlib.metadata.version("modhost-background-jobs")
HEARTBEAT: Final = "The heartbeat"
UNREGISTER_TIMEOUT: Final = 5.0
CLOSE_TIMEOUT: Final = 0.5
RECONNECT_TIMEOUT: Final = 2.5
MIN_SILENCE_SECONDS: Final = 5.0
MAX_RETRY_SECONDS: Final = 1.0


def identify_worker(
    max_concurrency: int, job_types: tuple[str, ...], queues: tuple[str, ...] = ("*",)
) -> WorkerInfo:
    """Return a worker of this process, under a name that says where it runs and is never reused."""
    process = process_name()
    return WorkerInfo(
        name=f"{process}{secrets.token_hex(3)}",
        host=process.rpartition(f"-{os.getpid()}-")[0],
        process=os.getpid(),
        version=VERSION,
        max_concurrency=max_concurrency,
        job_types=job_types,
        queues=queues,
    )


class Connectivity:
    """Reports to the event loop of a process what its heartbeats find out about the database.

    Made on the event loop, and called by the thread of the heartbeats.
    """

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups
        self._loop = asyncio.get_running_loop()
        self._stored_at = self._loop.time()
        self._failed_at: float | None = None

    def failed(self) -> None:
        """Note that a heartbeat could not be stored."""
        self._failed_at = self._loop.time()

    def stored(self, *, was_known: bool) -> None:
        """Note that one was stored, and whether the worker was known, or taken for dead."""
        now = self._loop.time()
        # After a shorter silence the database was slow: connections to it may well be alive.
        was_silent = self._failed_at and now - self._stored_at >= MIN_SILENCE_SECONDS
        if was_silent or not was_known:
            self._loop.call_soon_threadsafe(self._reconnect, self._failed_at or now)
        self._stored_at, self._failed_at = now, None

    def _reconnect(self, opened_before: float) -> None:
        """Give up connections that were cut off, and read at once what has become of the jobs."""
        self._database.disconnect(opened_before)
        self._wakeups.reconnected.fire()
        self._wakeups.fire()


class HeartbeatThread:
    """Sends the heartbeats of a worker, over a database connection of its own.

    Neither a busy event loop nor a job can starve it.
    """

    def __init__(
        self,
        worker: WorkerInfo,
        database_url: str,
        interval: float,
        now: Callable[[], datetime],
        connectivity: Connectivity,
    ) -> None:
        self._worker = worker
        self._database_url = database_url
        self._interval = interval
        self._now = now
        self._connectivity = connectivity
        self._has_failed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._main, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start to send heartbeats."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop; returns when the thread has ended, or after a second."""
        self._stopping.set()
        await anyio.to_thread.run_sync(self._thread.join, 1.0)

    def _main(self) -> None:
        while not self._stopping.is_set():
            try:
                anyio.run(self._beat_until_stopped)
            except Exception as error:  # noqa: BLE001 - heartbeats continue whatever happens
                failures.failed(logger, HEARTBEAT, error)
                self._has_failed = True
                # Somebody who has locked the worker's row has not cut the network off.
                if not is_lock_timeout(error):
                    self._connectivity.failed()
                self._stopping.wait(min(MAX_RETRY_SECONDS, self._interval / 5))

    async def _beat_until_stopped(self) -> None:
        database = Database(self._database_url, shutdown_timeout=CLOSE_TIMEOUT)
        async with database.open_bare():
            store = open_store(database)
            if self._has_failed and database.dialect == "postgresql":
                # Nobody answers as long as the network is cut off: tried anew rather than awaited.
                with anyio.fail_after(RECONNECT_TIMEOUT):
                    await database.postgres.fetchval("SELECT 1")
            while not self._stopping.is_set():
                with anyio.fail_after(2 * self._interval):
                    self._connectivity.stored(was_known=await self._beat(store))
                self._has_failed = False
                self._stopping.wait(self._interval)

    async def _beat(self, store: JobStore) -> bool:
        """Store a heartbeat; return whether the worker was known."""
        known = await store.beat(self._worker.name, self._now())
        failures.passed(HEARTBEAT)
        # A worker that stops may have unregistered while this heartbeat was under way.
        if known or self._stopping.is_set():
            return True
        logger.warning(
            "Worker %s was taken for dead and its jobs were handed to others; it registers again.",
            self._worker.name,
        )
        await store.register(self._worker, self._now())
        return False


class WorkerRegistration:
    """Registers the workers of this process: its consumer, and one for each bulk change."""

    def __init__(
        self,
        database: Database,
        store: JobStore,
        types: JobTypes,
        current: CurrentWorker,
        wakeups: Wakeups,
        options: BackgroundJobsOptions,
        clock: GuardedClock,
    ) -> None:
        self._wakeups = wakeups
        self._database = database
        self._store = store
        self._types = types
        self._current = current
        self._options = options
        self._clock = clock

    def identity(self) -> WorkerInfo:
        """Return a new consumer of this process, under a name of its own."""
        return identify_worker(
            self._options.max_concurrency, self._types.of_workers, self._options.queues
        )

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[WorkerInfo]:
        """Register the consumer of this process for the block."""
        worker = self.identity()
        self._current.name = worker.name
        async with self._registered(worker):
            yield worker

    @asynccontextmanager
    async def bulk_runner(self) -> AsyncIterator[WorkerInfo]:
        """Register a worker for one bulk change for the block; it does not count as a consumer."""
        worker = as_bulk_runner(identify_worker(1, self._types.of_bulk_runners))
        async with self._registered(worker):
            yield worker

    @asynccontextmanager
    async def _registered(self, worker: WorkerInfo) -> AsyncIterator[None]:
        heartbeat = self._heartbeat(worker)
        await self._store.register(worker, self._clock.heartbeat_time())
        heartbeat.start()
        try:
            yield
        finally:
            # Unregistered last, since a heartbeat would register it again.
            with anyio.CancelScope(shield=True):
                await heartbeat.stop()
                with anyio.move_on_after(UNREGISTER_TIMEOUT):
                    await self._unregister(worker)

    def _heartbeat(self, worker: WorkerInfo) -> HeartbeatThread:
        interval = self._options.heartbeat_interval.total_seconds()
        connectivity = Connectivity(self._database, self._wakeups)
        return HeartbeatThread(
            worker, self._database.url, interval, self._clock.heartbeat_time, connectivity
        )

    async def _unregister(self, worker: WorkerInfo) -> None:
        try:
            await self._store.unregister(worker.name)
        except Exception as error:  # noqa: BLE001 - it is found dead like any other
            message = "Worker %s could not be unregistered (%s)."
            logger.warning(message, worker.name, describe(error))
