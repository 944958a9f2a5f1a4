"""One operation on its way: a worker of its own for it, its lease watched, its end stored."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import anyio

from modhost.clock import Clock
from modhost.database import Database
from modhost_background_jobs.model import (
    Ended,
    JobTypes,
    Lease,
    Released,
    WorkerInfo,
    as_bulk_runner,
)
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, Wakeups, wait_for
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.outcome import HANDED_BACK, Outcome
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.write_retry import until_written
from modhost_background_jobs.worker.liveness.heartbeat import Heartbeat
from modhost_background_jobs.worker.liveness.identity import identify_worker
from modhost_background_jobs.worker.shutdown import SHUTDOWN_TIMEOUT

logger = logging.getLogger(__name__)

POLL_INTERVAL: Final = 1.0
MIN_PAUSE_SECONDS: Final = 0.1


class BulkRunner:
    """Claims operations, each under a worker that is registered for it alone.

    One host at a time does it, therefore, and when that dies its lease is taken back as any other.
    """

    def __init__(
        self,
        database: Database,
        store: JobStore,
        wakeups: Wakeups,
        types: JobTypes,
        runner: AttemptRunner,
        buffer: ProgressBuffer,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._database = database
        self.store = store
        self.wakeups = wakeups
        self.types = types
        self.runner = runner
        self.buffer = buffer
        self._heartbeat_interval = options.heartbeat_interval.total_seconds()
        self.clock = clock

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator["BulkAttempt | None"]:
        """Claim an operation that is due for the block; None when there is none (any more)."""
        worker = as_bulk_runner(identify_worker(1, self.types.operations))
        async with self._registered(worker):
            claimed = await self.store.claim(
                worker.name, self.types.operations, 1, self.clock.now()
            )
            attempts = [Attempt(job, "task") for job in claimed]
            yield BulkAttempt(self, worker.name, attempts[0]) if attempts else None

    @asynccontextmanager
    async def _registered(self, worker: WorkerInfo) -> AsyncIterator[None]:
        heartbeat = Heartbeat(worker, self._database.url, self._heartbeat_interval, self.clock)
        await self.store.register(worker, self.clock.now())
        heartbeat.start()
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await heartbeat.stop()
                with anyio.move_on_after(SHUTDOWN_TIMEOUT):
                    await self._leave(worker)

    async def _leave(self, worker: WorkerInfo) -> None:
        try:
            await self.store.unregister(worker.name)
        except Exception as error:  # noqa: BLE001 - it is found dead like any other
            logger.warning("The worker %s could not be removed (%s).", worker.name, error)


@dataclass(frozen=True, slots=True)
class BulkAttempt:
    """An attempt of an operation that this host has claimed."""

    operator: BulkRunner
    worker: str
    attempt: Attempt

    async def run(self) -> None:
        """Do it, and store how it ended; one that is cut off is handed back."""
        outcome: Outcome = Released(
            self.attempt.claimed.lease, self.operator.clock.now(), HANDED_BACK, spent=False
        )
        try:
            outcome = await self._outcome()
            await self._store(outcome)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(SHUTDOWN_TIMEOUT, shield=True):
                await self._store(outcome)
            raise

    async def _outcome(self) -> Outcome:
        claimed = self.attempt.claimed
        registered = self.operator.types.named(claimed.job_type)
        if claimed.rescues:
            # Nothing was claimed with it: if its host dies, it may be what took it down.
            await self.operator.store.note_begin(claimed.lease)
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch)
            outcome = await self.operator.runner.run(self.attempt, registered)
            group.cancel_scope.cancel()
        return outcome

    async def _watch(self) -> None:
        """Stop the attempt when it was cancelled somewhere, or is another's by now."""
        while True:
            ticket = self.operator.wakeups.stop_requests.ticket()
            try:
                leases = await self.operator.store.leases(self.worker)
            except Exception as error:  # noqa: BLE001 - whatever the driver says, it looks again
                logger.warning("Could not look for requests to stop (%s).", error)
            else:
                self._obey(leases)
            await anyio.sleep(MIN_PAUSE_SECONDS)
            await wait_for(ticket, POLL_INTERVAL)

    def _obey(self, leases: Mapping[Lease, bool]) -> None:
        is_to_stop = leases.get(self.attempt.claimed.lease)
        if is_to_stop is None:
            self.attempt.stop(StopReason.LOST_LEASE)
        elif is_to_stop:
            self.attempt.stop(StopReason.CANCELLED)

    async def _store(self, outcome: Outcome) -> None:
        """Store what it reported, and how it ended; nothing when its lease is lost."""
        self.attempt.over = True
        lease, store, now = self.attempt.claimed.lease, self.operator.store, self.operator.clock.now
        await until_written(lambda: self.operator.buffer.flush([lease]), "progress and logs")
        if isinstance(outcome, Ended):
            await until_written(lambda: store.end([outcome], now()), "the end of an operation")
        elif isinstance(outcome, Released):
            await until_written(
                lambda: store.release([outcome], now()), "an operation to be gone on with"
            )
