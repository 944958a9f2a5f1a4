"""The job processor: claims jobs, runs them, and leaves nothing behind when it stops."""

import logging
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost.background import HostedService
from modhost.clock import Clock
from modhost.database import Database
from modhost_background_jobs.contracts.registration import RegisteredJob
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.job_types import JobTypes
from modhost_background_jobs.queue.records import ClaimedJob, Released, WorkerInfo
from modhost_background_jobs.queue.store import JobStore
from modhost_background_jobs.queue.wakeups import Wakeups
from modhost_background_jobs.worker.claiming import ClaimLoop
from modhost_background_jobs.worker.execution import AttemptRunner
from modhost_background_jobs.worker.finishing import Finisher
from modhost_background_jobs.worker.heartbeat import Heartbeat
from modhost_background_jobs.worker.identity import identify_worker
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.running import RunningAttempts
from modhost_background_jobs.worker.slots import Slots
from modhost_background_jobs.worker.statistics import StatisticsService
from modhost_background_jobs.worker.stop_requests import StopRequests
from modhost_background_jobs.worker.stopping import Place, RunningAttempt, StopReason

logger = logging.getLogger(__name__)

STALE_SECONDS: Final = 1.0
OBEY_SECONDS: Final = 2.0
FAREWELL_SECONDS: Final = 5.0


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
        self._options = options
        self._clock = clock
        self._attempts = RunningAttempts()
        self._slots = Slots(options.max_concurrency, self._attempts, clock)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Process jobs until cancelled, then let them end within the grace."""
        worker = identify_worker(self._options.max_concurrency, self._types.names)
        heartbeat = self._heartbeat(worker)
        self._statistics.of_worker(worker.name)
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
            self._types.names,
            self._store,
            self._wakeups,
            self._clock,
            self._options.poll_interval.total_seconds(),
        )
        stop_requests = StopRequests(
            worker.name,
            self._store,
            self._wakeups,
            self._attempts,
            claims,
            lambda: self._hand_back_waiting(STALE_SECONDS),
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
                with anyio.CancelScope(shield=True):
                    await self._drain()
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
                group.start_soon(self._finisher.run, self._attempts)
                group.start_soon(self._processes.tend)
                await self._slots.own_tasks(self._run_attempt, over, task_status.started)
                group.cancel_scope.cancel()

    def _start(self, claimed: list[ClaimedJob]) -> None:
        self._slots.take(
            RunningAttempt(job, _place_of(self._types.named(job.job_type))) for job in claimed
        )

    async def _run_attempt(self, attempt: RunningAttempt) -> None:
        registered = self._types.named(attempt.claimed.job_type)
        runner = self._processes if attempt.place == "process" else self._runner
        outcome = await runner.run(attempt, registered)
        self._finisher.add(attempt, outcome)

    def _hand_back_waiting(self, waiting_for: float) -> None:
        """Hand back attempts that wait for a slot, which another worker may have free."""
        for attempt in self._slots.take_back(waiting_for):
            now = self._clock.now()
            back = Released(attempt.claimed.lease, now, error=None, spent=False)
            self._finisher.add(attempt, back)

    async def _drain(self) -> None:
        """Let running jobs end, ask those that remain to stop, hand back what does not."""
        grace = self._options.shutdown_grace.total_seconds()
        self._hand_back_waiting(0)
        if len(self._attempts):
            logger.info("Stopping: %d jobs have %g s to end.", len(self._attempts), grace)
        with anyio.move_on_after(grace):
            await self._attempts.at_most(0)
        for attempt in self._attempts:
            attempt.stop(StopReason.SHUTDOWN)
        with anyio.move_on_after(OBEY_SECONDS):
            await self._attempts.at_most(0)
        with anyio.move_on_after(FAREWELL_SECONDS):
            await self._give_up(list(self._attempts))

    async def _give_up(self, ignorant: list[RunningAttempt]) -> None:
        """Give up attempts that do not stop, so that other workers can have their jobs."""
        for attempt in ignorant:
            logger.error(
                "The job %s (%s) ignores the request to stop; its %s is abandoned.",
                attempt.claimed.lease.job_id,
                attempt.claimed.job_type,
                attempt.place,
            )
            attempt.give_up()
        with anyio.move_on_after(OBEY_SECONDS):
            await self._attempts.at_most(0)
        now = self._clock.now()
        error = "handed back: it ignored the request to stop when its worker shut down."
        left = [Released(each.claimed.lease, now, error, spent=False) for each in self._attempts]
        if left:
            await self._store.release(left, now)

    async def _leave(self, worker: WorkerInfo) -> None:
        """Be no longer among those alive; last of all, since a beat would register it again."""
        with anyio.move_on_after(FAREWELL_SECONDS):
            await self._store.unregister(worker.name)

    def _heartbeat(self, worker: WorkerInfo) -> Heartbeat:
        return Heartbeat(
            worker,
            self._database.url,
            self._options.heartbeat_interval.total_seconds(),
            lambda: self._slots.running,
            self._clock,
        )


def _place_of(registered: RegisteredJob) -> Place:
    if registered.runs_in_process:
        return "process"
    return "thread" if registered.runs_in_thread else "task"
