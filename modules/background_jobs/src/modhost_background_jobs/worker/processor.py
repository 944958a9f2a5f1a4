"""The job processor: claims jobs, runs them, and leaves nothing behind when it stops."""

import asyncio
import logging
from functools import partial
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost.clock import Clock
from modhost.database import Database
from modhost.module import HostedService
from modhost_background_jobs.contracts import RegisteredJob
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService
from modhost_background_jobs.model import ClaimedJob, JobTypes, Released, WorkerInfo
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, Wakeups
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry, Place
from modhost_background_jobs.worker.attempts.exit_guard import contain_exits
from modhost_background_jobs.worker.attempts.outcome import failed
from modhost_background_jobs.worker.attempts.poison_jobs import PoisonJobs
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.stop_requests import StopRequests
from modhost_background_jobs.worker.attempts.unresponsive import UnresponsiveAttempts
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.slots import Slots
from modhost_background_jobs.worker.finishing.finisher import Finisher
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.liveness.heartbeat import Heartbeat
from modhost_background_jobs.worker.liveness.identity import identify_worker
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.shutdown import SHUTDOWN_TIMEOUT, drain

logger = logging.getLogger(__name__)

STALE_SECONDS: Final = 1.0


class JobProcessorService(HostedService):
    """Runs the jobs of one worker, for as long as the host runs."""

    name = "job processor"

    def __init__(
        self,
        database: Database,
        store: JobStore,
        wakeups: Wakeups,
        types: JobTypes,
        runner: AttemptRunner,
        processes: ProcessRunner,
        finisher: Finisher,
        statistics: StatisticsService,
        sweeper: StalledJobSweeperService,
        deaf: UnresponsiveAttempts,
        suspects: PoisonJobs,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._wakeups = wakeups
        self._types = types
        self._runner = runner
        self._processes = processes
        self._finisher = finisher
        self._statistics = statistics
        self._sweeper = sweeper
        self._deaf = deaf
        self._poison_jobs = suspects
        self._options = options
        self._clock = clock
        self.attempts = AttemptRegistry()
        """What this worker has at the moment."""
        self._slots: Slots

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Process jobs until cancelled, then let them end within the grace."""
        contain_exits(asyncio.get_running_loop())
        # Anew each time: what a run that crashed has left behind is not this one's.
        self.attempts = AttemptRegistry()
        self._slots = Slots(self._options.max_concurrency, self.attempts, self._clock)
        worker = identify_worker(self._options.max_concurrency, self._types.in_slots)
        heartbeat = self._heartbeat(worker)
        self._statistics.of_worker(worker.name)
        self._sweeper.of_worker(worker.name)
        await self._store.register(worker, self._clock.now())
        heartbeat.start()
        try:
            await self._process(worker, task_status)
        finally:
            with anyio.CancelScope(shield=True):
                await heartbeat.stop()
                await self._leave(worker)

    async def _process(self, worker: WorkerInfo, task_status: TaskStatus[None]) -> None:
        claims = ClaimLoop(
            worker.name,
            self._types.in_slots,
            self._store,
            self._wakeups,
            self._clock,
            self._options.poll_interval.total_seconds(),
        )
        stop_requests = StopRequests(
            worker.name,
            self._store,
            self._wakeups,
            self.attempts,
            claims,
            self._tend,
            self._clock,
        )
        over = anyio.Event()
        async with anyio.create_task_group() as outer:
            await outer.start(self._own_jobs, stop_requests, over)
            logger.info("Worker %s runs up to %d jobs.", worker.name, worker.max_concurrency)
            try:
                outer.start_soon(self._wakeups.watch)
                task_status.started()
                await claims.run(self._slots, self._start)
            finally:
                try:
                    with anyio.CancelScope(shield=True):
                        self._hand_back_waiting(0)
                        grace = self._options.shutdown_grace
                        await drain(self.attempts, grace, self._finisher, self._clock)
                finally:
                    # Whatever happened: those who own the jobs wait for nothing else.
                    over.set()
                outer.cancel_scope.cancel()

    async def _own_jobs(
        self, stop_requests: StopRequests, over: anyio.Event, *, task_status: TaskStatus[None]
    ) -> None:
        # Shielded: jobs get their grace when everything else is cancelled, and can be cancelled
        # by people during it.
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                group.start_soon(stop_requests.watch)
                group.start_soon(self._finisher.run, self.attempts)
                group.start_soon(self._processes.tend)
                try:
                    await self._slots.own_tasks(self._run_attempt, over, task_status.started)
                finally:
                    # Nobody stores their ends from now on: there is nothing to wait for.
                    self.attempts.abandon()
                group.cancel_scope.cancel()

    def _start(self, claimed: list[ClaimedJob]) -> None:
        self._slots.take(
            Attempt(job, _place_of(self._types.named(job.job_type))) for job in claimed
        )

    async def _run_attempt(self, attempt: Attempt) -> None:
        registered = self._types.named(attempt.claimed.job_type)
        runner = self._processes if attempt.place == "process" else self._runner
        try:
            if self._poison_jobs.has(attempt):
                outcome = await self._poison_jobs.run(
                    attempt, partial(runner.run, attempt, registered)
                )
            else:
                outcome = await runner.run(attempt, registered)
        except BaseException as error:
            # Whatever it is, the job gets an end, unless the worker's own has come.
            if not self._slots.is_open:
                raise
            outcome = failed(attempt, error, registered, self._options, self._clock.now())
        self._finisher.add(attempt, outcome)

    def _tend(self) -> None:
        self._hand_back_waiting(STALE_SECONDS)
        self._deaf.look(self.attempts)

    def _hand_back_waiting(self, waiting_for: float) -> None:
        """Hand back attempts that wait for a slot, which another worker may have free."""
        for attempt in self._slots.take_back(waiting_for):
            now = self._clock.now()
            back = Released(attempt.claimed.lease, now, error=None, spent=False)
            self._finisher.add(attempt, back)

    async def _leave(self, worker: WorkerInfo) -> None:
        """Be no longer among those alive; last of all, since a beat would register it again."""
        with anyio.move_on_after(SHUTDOWN_TIMEOUT):
            try:
                await self._store.unregister(worker.name)
            except Exception as error:  # noqa: BLE001 - it is found dead like any other
                logger.warning("Worker %s could not be removed (%s).", worker.name, error)

    def _heartbeat(self, worker: WorkerInfo) -> Heartbeat:
        return Heartbeat(
            worker,
            self._database.url,
            self._options.heartbeat_interval.total_seconds(),
            self._clock,
        )


def _place_of(registered: RegisteredJob) -> Place:
    if registered.runs_in_process:
        return "process"
    return "thread" if registered.runs_in_thread else "task"
