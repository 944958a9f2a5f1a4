"""Registration: a worker is known to the others, and sends heartbeats, while it works."""

import importlib.metadata
import logging
import os
import re
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from modhost.clock import Clock
from modhost.database import Database
from modhost_background_jobs.model import CurrentWorker, JobTypes, WorkerInfo, as_bulk_runner
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.liveness.heartbeat import HeartbeatThread

logger = logging.getLogger(__name__)

VERSION: Final = importlib.metadata.version("modhost-background-jobs")
UNREGISTER_TIMEOUT: Final = 5.0


def identify_worker(max_concurrency: int, job_types: tuple[str, ...]) -> WorkerInfo:
    """Return a worker of this process, under a name that says where it runs and is never reused."""
    host = re.sub(r"[^\w.-]", "-", socket.gethostname())[:60] or "host"
    process = os.getpid()
    return WorkerInfo(
        name=f"{host}-{process}-{secrets.token_hex(3)}",
        host=host,
        process=process,
        version=VERSION,
        max_concurrency=max_concurrency,
        job_types=job_types,
    )


class WorkerRegistration:
    """Registers the workers of this process: its consumer, and one for each bulk change."""

    def __init__(
        self,
        database: Database,
        store: JobStore,
        types: JobTypes,
        current: CurrentWorker,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._types = types
        self._current = current
        self._options = options
        self._clock = clock

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[WorkerInfo]:
        """Register the consumer of this process for the block."""
        worker = identify_worker(self._options.max_concurrency, self._types.in_slots)
        self._current.name = worker.name
        async with self._registered(worker):
            yield worker

    @asynccontextmanager
    async def bulk_runner(self) -> AsyncIterator[WorkerInfo]:
        """Register a worker for one bulk change for the block; it does not count as a consumer."""
        worker = as_bulk_runner(identify_worker(1, self._types.operations))
        async with self._registered(worker):
            yield worker

    @asynccontextmanager
    async def _registered(self, worker: WorkerInfo) -> AsyncIterator[None]:
        heartbeat = self._heartbeat(worker)
        await self._store.register(worker, self._clock.now())
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
        return HeartbeatThread(worker, self._database.url, interval, self._clock)

    async def _unregister(self, worker: WorkerInfo) -> None:
        try:
            await self._store.unregister(worker.name)
        except Exception as error:  # noqa: BLE001 - it is found dead like any other
            logger.warning("Worker %s could not be unregistered (%s).", worker.name, error)
