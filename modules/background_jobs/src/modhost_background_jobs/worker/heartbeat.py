"""Heartbeats: a worker is known to live while they arrive, and learns by them what others ask."""

import asyncio
import logging
import os
import threading
from pathlib import Path
from typing import Final

import anyio

from modhost.database import Database
from modhost.failures import failures
from modhost_background_jobs.model import CurrentWorker, Vitals, WorkerInfo
from modhost_background_jobs.storage import GuardedClock, JobStore, Wakeups, open_store
from modhost_background_jobs.storage.dialects import is_lock_timeout

logger = logging.getLogger(__name__)

HEARTBEAT: Final = "The heartbeat"
CLOSE_TIMEOUT: Final = 0.5
RECONNECT_TIMEOUT: Final = 2.5
MIN_SILENCE_SECONDS: Final = 5.0
MAX_RETRY_SECONDS: Final = 1.0
STATM: Final = Path("/proc/self/statm")
"""Linux has it."""


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

    def learned(self, own: CurrentWorker, *, is_quiet: bool) -> None:
        """Note whether the worker is to be quiet, and wake its claims when that has changed."""
        if own.is_quiet != is_quiet:
            own.is_quiet = is_quiet
            self._loop.call_soon_threadsafe(self._wakeups.work.fire)

    def _reconnect(self, opened_before: float) -> None:
        """Give up connections that were cut off, and read at once what has become of the jobs."""
        self._database.disconnect(opened_before)
        self._wakeups.reconnected.fire()
        self._wakeups.fire()


class HeartbeatThread:
    """Sends the heartbeats of a worker, over a database connection of its own.

    Neither a busy event loop nor a job can starve it. `own` is the consumer of this process, unless
    the worker is another one.
    """

    def __init__(
        self,
        worker: WorkerInfo,
        database_url: str,
        interval: float,
        clock: GuardedClock,
        connectivity: Connectivity,
        own: CurrentWorker | None = None,
    ) -> None:
        self._worker = worker
        self._database_url = database_url
        self._interval = interval
        self._clock = clock
        self._connectivity = connectivity
        self._own = own
        self._has_failed = False
        self._is_stopping = False
        self._hurried = threading.Event()
        self._thread = threading.Thread(target=self._main, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start to send heartbeats."""
        self._thread.start()

    def hurry(self) -> None:
        """Send the next one at once: the worker has something to say, or to learn."""
        self._hurried.set()

    async def stop(self) -> None:
        """Stop; returns when the thread has ended, or after a second."""
        self._is_stopping = True
        self._hurried.set()
        await anyio.to_thread.run_sync(self._thread.join, 1.0)

    def _main(self) -> None:
        while not self._is_stopping:
            try:
                anyio.run(self._beat_until_stopped)
            except Exception as error:  # noqa: BLE001 - heartbeats continue whatever happens
                failures.failed(logger, HEARTBEAT, error)
                self._has_failed = True
                # Somebody who has locked the worker's row has not cut the network off.
                if not is_lock_timeout(error):
                    self._connectivity.failed()
                self._wait(min(MAX_RETRY_SECONDS, self._interval / 5))

    async def _beat_until_stopped(self) -> None:
        database = Database(self._database_url, shutdown_timeout=CLOSE_TIMEOUT)
        async with database.open_bare():
            store = open_store(database)
            if self._has_failed and database.dialect == "postgresql":
                # Nobody answers as long as the network is cut off: tried anew rather than awaited.
                with anyio.fail_after(RECONNECT_TIMEOUT):
                    await database.postgres.fetchval("SELECT 1")
            while not self._is_stopping:
                with anyio.fail_after(2 * self._interval):
                    self._connectivity.stored(was_known=await self._beat(store))
                self._has_failed = False
                self._wait(self._interval)

    async def _beat(self, store: JobStore) -> bool:
        """Store a heartbeat; return whether the worker was known."""
        asked_at = self._clock.monotonic()
        known = await store.beat(self._worker.name, self._clock.heartbeat_time(), self._vitals())
        failures.passed(HEARTBEAT)
        if known is not None:
            if self._own is not None:
                self._connectivity.learned(self._own, is_quiet=known.is_quiet)
                self._own.renew(asked_at)
            return True
        if self._own is not None:
            self._own.lose(self._clock.monotonic())
        # A worker that stops may have unregistered while this heartbeat was under way.
        if self._is_stopping:
            return True
        logger.warning(
            "Worker %s was taken for dead and its jobs were handed to others; it registers again.",
            self._worker.name,
        )
        await store.register(self._worker, self._clock.heartbeat_time())
        if self._own is not None:
            self._own.renew(asked_at)
        return False

    def _vitals(self) -> Vitals:
        own = self._own
        if own is None:
            return Vitals(used_memory())
        return Vitals(used_memory(), own.blocked_since, own.stopping_since)

    def _wait(self, seconds: float) -> None:
        self._hurried.wait(seconds)
        if not self._is_stopping:
            self._hurried.clear()


def used_memory() -> int | None:
    """Return the bytes of memory that this process has in use; None where no file says so."""
    try:
        pages = STATM.read_text("ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
