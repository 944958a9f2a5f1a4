"""The job processor: claims jobs, runs them, and leaves nothing behind when it stops."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskStatus

from modhost import Clock, HostedService
from modhost.failures import run_owned
from modhost_background_jobs.model import CurrentWorker
from modhost_background_jobs.storage import Wakeups
from modhost_background_jobs.worker.attempts.attempt import AttemptRegistry
from modhost_background_jobs.worker.attempts.exit_guard import guard_exits
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.slots import Slots
from modhost_background_jobs.worker.executor import AttemptExecutor
from modhost_background_jobs.worker.finishing.finisher import Finisher
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.registration import WorkerRegistration
from modhost_background_jobs.worker.shutdown import Shutdown
from modhost_background_jobs.worker.watching.lease_watch import WorkerWatch

logger = logging.getLogger(__name__)


class JobProcessorService(HostedService):
    """Runs the jobs of one worker, for as long as the host runs.

    A job's way: claim loop, slots, executor, runner, and back in the slots to the finisher.
    """

    name = "job processor"

    def __init__(
        self,
        registration: WorkerRegistration,
        wakeups: Wakeups,
        claims: ClaimLoop,
        executor: AttemptExecutor,
        finisher: Finisher,
        processes: ProcessPool,
        watch: WorkerWatch,
        shutdown: Shutdown,
        clock: Clock,
        own: CurrentWorker,
    ) -> None:
        self._own = own
        self._registration = registration
        self._wakeups = wakeups
        self._claims = claims
        self._executor = executor
        self._finisher = finisher
        self._processes = processes
        self._watch = watch
        self._shutdown = shutdown
        self._clock = clock
        self.attempts = AttemptRegistry()
        """What this worker holds at the moment."""

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Process jobs until cancelled, then let them finish within the grace."""
        async with self.opened(listens=True) as (worker, slots):
            task_status.started()
            await self._claims.run(worker, slots)

    @asynccontextmanager
    async def opened(self, *, listens: bool) -> AsyncIterator[tuple[str, Slots]]:
        """Be a worker during the block, with slots that run what they take; it claims nothing.

        `listens` is whether it hears of what other processes change.
        """
        guard_exits(asyncio.get_running_loop())
        async with self._registration.consumer() as worker:
            # Made anew each time: what a run that crashed has left behind is not this one's.
            attempts = self.attempts = AttemptRegistry()
            slots = Slots(
                worker.max_concurrency,
                attempts,
                self._executor,
                self._finisher,
                self._clock,
                self._own,
            )
            may_end = anyio.Event()
            async with anyio.create_task_group() as group:
                await group.start(self._run_attempts, worker.name, slots, may_end)
                logger.info("Worker %s runs up to %d jobs.", worker.name, worker.max_concurrency)
                if listens:
                    group.start_soon(run_owned, self._wakeups.watch)
                    group.start_soon(run_owned, self._registration.follow)
                try:
                    yield worker.name, slots
                finally:
                    try:
                        with anyio.CancelScope(shield=True):
                            self._registration.stopping()
                            slots.release_waiting()
                            await self._shutdown.drain(attempts)
                    finally:
                        may_end.set()
                    group.cancel_scope.cancel()

    async def _run_attempts(
        self, worker: str, slots: Slots, may_end: anyio.Event, *, task_status: TaskStatus[None]
    ) -> None:
        """Run what the slots take, with all that attempts need, until they may end.

        Shielded: jobs get their grace when everything else is cancelled, and can be cancelled by
        people during it.
        """
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                group.start_soon(run_owned, self._watch.run, worker, self.attempts)
                group.start_soon(run_owned, self._finisher.run, self.attempts)
                group.start_soon(run_owned, self._processes.run)
                try:
                    async with slots.opened():
                        task_status.started()
                        await may_end.wait()
                finally:
                    # Nobody stores their ends from now on: there is nothing to wait for.
                    self.attempts.abandon()
                group.cancel_scope.cancel()
