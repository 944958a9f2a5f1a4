"""Registration: a worker is known to the others while it works, and leaves by itself."""

import importlib.metadata
import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from modhost.database import Database
from modhost.failures import describe
from modhost.module import HostInfo
from modhost_background_jobs.model import (
    CurrentWorker,
    Departure,
    JobTypes,
    WorkerInfo,
    as_bulk_runner,
    process_name,
)
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import GuardedClock, JobStore, Wakeups
from modhost_background_jobs.worker.heartbeat import Connectivity, HeartbeatThread

logger = logging.getLogger(__name__)

VERSION: Final = importlib.metadata.version("modhost-background-jobs")
UNREGISTER_TIMEOUT: Final = 5.0


def identify_worker(
    max_concurrency: int,
    job_types: tuple[str, ...],
    queues: tuple[str, ...] = ("*",),
    app_version: str = "",
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
        app_version=app_version,
    )


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
        host: HostInfo,
    ) -> None:
        self._app_version = host.app_version
        self._own_heartbeat: HeartbeatThread | None = None
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
            self._options.max_concurrency,
            self._types.of_workers,
            self._options.queues,
            self._app_version,
        )

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[WorkerInfo]:
        """Register the consumer of this process for the block."""
        worker = self.identity()
        self._current.begin(worker.name, self._options.stall_timeout.total_seconds())
        heartbeat = self._own_heartbeat = self._heartbeat(worker, self._current)
        async with self._registered(worker, heartbeat, self._current):
            yield worker

    async def follow(self) -> None:
        """Learn at once when somebody has quieted or resumed a worker, until cancelled."""
        while True:
            await self._wakeups.quiet.ticket().wait()
            self._hurry()

    def stopping(self) -> None:
        """Let the others know that the consumer was asked to stop."""
        self._current.stopping_since = self._clock.heartbeat_time()
        self._hurry()

    def _hurry(self) -> None:
        if self._own_heartbeat is not None:
            self._own_heartbeat.hurry()

    @asynccontextmanager
    async def bulk_runner(self) -> AsyncIterator[WorkerInfo]:
        """Register a worker for one bulk change for the block; it does not count as a consumer."""
        worker = as_bulk_runner(identify_worker(1, self._types.of_bulk_runners))
        async with self._registered(worker, self._heartbeat(worker), CurrentWorker()):
            yield worker

    @asynccontextmanager
    async def _registered(
        self, worker: WorkerInfo, heartbeat: HeartbeatThread, own: CurrentWorker
    ) -> AsyncIterator[None]:
        asked_at = self._clock.monotonic()
        await self._store.register(worker, self._clock.heartbeat_time())
        own.renew(asked_at)
        heartbeat.start()
        has_crashed = False
        try:
            yield
        except Exception:
            has_crashed = True
            raise
        finally:
            # Unregistered last, since a heartbeat would register it again.
            with anyio.CancelScope(shield=True):
                await heartbeat.stop()
                with anyio.move_on_after(UNREGISTER_TIMEOUT):
                    await self._unregister(worker, _departure(own, has_crashed=has_crashed), own)

    def _heartbeat(self, worker: WorkerInfo, own: CurrentWorker | None = None) -> HeartbeatThread:
        interval = self._options.heartbeat_interval.total_seconds()
        connectivity = Connectivity(self._database, self._wakeups)
        return HeartbeatThread(worker, self._database.url, interval, self._clock, connectivity, own)

    async def _unregister(
        self, worker: WorkerInfo, departure: Departure, own: CurrentWorker
    ) -> None:
        now = self._clock.heartbeat_time()
        try:
            await self._store.unregister(worker.name, now, departure, own.unfinished)
        except Exception as error:  # noqa: BLE001 - it is found dead like any other
            message = "Worker %s could not be unregistered (%s)."
            logger.warning(message, worker.name, describe(error))


def _departure(own: CurrentWorker, *, has_crashed: bool) -> Departure:
    if has_crashed:
        return Departure.CRASHED
    return Departure.DRAINED if own.is_quiet and not own.unfinished else Departure.STOPPED
