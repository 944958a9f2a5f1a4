"""Run bulk changes in every host, producers too, without a slot of any consumer."""

import logging
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from modhost import HostedService
from modhost.failures import describe, failures, run_owned
from modhost_background_jobs.model import JobTypes, Released
from modhost_background_jobs.storage import JobStore, QueueClock, Wakeups, wait_for
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.attempts.outcome import SHUT_DOWN, Finished, Outcome
from modhost_background_jobs.worker.executor import AttemptExecutor
from modhost_background_jobs.worker.finishing.finisher import OutcomeWriter
from modhost_background_jobs.worker.registration import WorkerRegistration
from modhost_background_jobs.worker.watching.lease_watch import LeaseWatch

logger = logging.getLogger(__name__)

POLL: Final = "The poll for bulk changes"
MAX_CONCURRENT: Final = 4
POLL_INTERVAL: Final = 10.0
MIN_PAUSE_SECONDS: Final = 0.5
RELEASE_TIMEOUT: Final = 5.0


class BulkRunner(HostedService):
    """Claims bulk changes, each under a worker that is registered for it alone.

    They are jobs under leases as others are, of types that no consumer claims: one host at a time
    runs each, and when it dies its lease is taken back. What this host enqueues begins at once;
    what another one has left is found by polling.
    """

    name = "bulk changes"

    def __init__(
        self,
        registration: WorkerRegistration,
        store: JobStore,
        wakeups: Wakeups,
        types: JobTypes,
        executor: AttemptExecutor,
        writer: OutcomeWriter,
        clock: QueueClock,
    ) -> None:
        self._registration = registration
        self._store = store
        self._wakeups = wakeups
        self._types = types
        self._executor = executor
        self._writer = writer
        self._watch = LeaseWatch(store, wakeups)
        self._clock = clock

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Begin what is due until cancelled; what runs then is released for another host."""
        slots = anyio.Semaphore(MAX_CONCURRENT)
        task_status.started()
        async with anyio.create_task_group() as group:
            while True:
                ticket = self._wakeups.work.ticket()
                await slots.acquire()
                if await self._begin(group, slots):
                    continue
                slots.release()
                await anyio.sleep(MIN_PAUSE_SECONDS)
                await wait_for(ticket, POLL_INTERVAL)

    async def _begin(self, group: TaskGroup, slots: anyio.Semaphore) -> bool:
        """Begin a bulk change if one is due; return whether one has begun, and took a slot."""
        try:
            due_at = await self._store.next_due(self._types.of_bulk_runners)
            failures.passed(POLL)
            if due_at is None or due_at > self._clock.now():
                return False
            has_begun: bool = await group.start(self._claim_and_run, slots)
        except Exception as error:  # noqa: BLE001 - whatever the driver says, it polls again
            failures.failed(logger, POLL, error)
            return False
        return has_begun

    async def _claim_and_run(
        self, slots: anyio.Semaphore, *, task_status: TaskStatus[bool]
    ) -> None:
        async with self._registration.bulk_runner() as worker:
            now = self._clock.now()
            claimed = await self._store.claim(worker.name, worker.job_types, 1, now)
            task_status.started(bool(claimed))
            for job in claimed:
                try:
                    await self._run(
                        worker.name, Attempt(job, self._types.named(job.job_type), "task")
                    )
                except Exception as error:  # noqa: BLE001 - without a lease others take it over
                    logger.warning(
                        "A bulk change broke off (%s); it is run again.", describe(error)
                    )
                finally:
                    slots.release()

    async def _run(self, worker: str, attempt: Attempt) -> None:
        """Run the attempt and store its outcome; one that is cut off is released."""
        attempts = AttemptRegistry()
        attempts.add(attempt)
        outcome: Outcome = Released(attempt.lease, error=SHUT_DOWN)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(run_owned, self._watch.run, worker, attempts)
                outcome = await self._executor.run(attempt)
                group.cancel_scope.cancel()
            await self._store_outcome(attempt, outcome)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(RELEASE_TIMEOUT, shield=True):
                await self._store_outcome(attempt, outcome)
            raise

    async def _store_outcome(self, attempt: Attempt, outcome: Outcome) -> None:
        attempt.is_finished = True
        await self._writer.write_all([Finished(attempt, outcome, self._clock.now())])
