"""Heartbeats from a thread of its own, which neither a busy loop nor a job can starve."""

import logging
import threading

import anyio

from modhost import Clock
from modhost.database import Database
from modhost_background_jobs.model import WorkerInfo
from modhost_background_jobs.storage import JobStore, open_store

logger = logging.getLogger(__name__)


class HeartbeatThread:
    """Sends the heartbeats of a worker over a database connection of its own."""

    def __init__(
        self,
        worker: WorkerInfo,
        database_url: str,
        interval: float,
        clock: Clock,
    ) -> None:
        self._worker = worker
        self._database_url = database_url
        self._interval = interval
        self._clock = clock
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
            except Exception as error:  # noqa: BLE001 - heartbeats go on whatever happens
                logger.warning("The heartbeat could not be stored (%s); it goes on.", error)
                self._stopping.wait(self._interval / 5)

    async def _beat_until_stopped(self) -> None:
        async with Database(self._database_url).open_bare() as database:
            store = open_store(database)
            while not self._stopping.is_set():
                with anyio.fail_after(2 * self._interval):
                    await self._beat(store)
                self._stopping.wait(self._interval)

    async def _beat(self, store: JobStore) -> None:
        known = await store.beat(self._worker.name, self._clock.now())
        # A worker that stops may have unregistered while this heartbeat was under way.
        if known or self._stopping.is_set():
            return
        logger.warning(
            "Worker %s was taken for dead and its jobs were handed to others; it registers again.",
            self._worker.name,
        )
        await store.register(self._worker, self._clock.now())
