"""The job processor: claims jobs, runs them, and leaves nothing behind when it stops."""

import logging
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from modhost.background import HostedService
from modhost.clock import Clock
from modhost.database import Database
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.job_types import JobTypes
from modhost_background_jobs.queue.records import ClaimedJob, Ended, Released, WorkerInfo
from modhost_background_jobs.queue.store import JobStore
from modhost_background_jobs.queue.wakeups import Wakeups
from modhost_background_jobs.worker.claiming import ClaimLoop
from modhost_background_jobs.worker.execution import AttemptRunner
from modhost_background_jobs.worker.finishing import Finisher, until_written
from modhost_background_jobs.worker.heartbeat import Heartbeat
from modhost_background_jobs.worker.identity import identify_worker
from modhost_background_jobs.worker.progress import ProgressBuffer
from modhost_background_jobs.worker.running import RunningAttempts
from modhost_background_jobs.worker.statistics import StatisticsService
from modhost_background_jobs.worker.stop_requests import StopRequests
from modhost_background_jobs.worker.stopping import RunningAttempt, StopReason

logger = logging.getLogger(__name__)

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
        finisher: Finisher,
        buffer: ProgressBuffer,
        statistics: StatisticsService,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._wakeups = wakeups
        self._types = types
        self._runner = runner
        self._finisher = finisher
        self._buffer = buffer
        self._statistics = statistics
        self._options = options
        self._clock = clock
        self._running = RunningAttempts(options.max_concurrency)

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
            worker.name, self._store, self._wakeups, self._running, claims, self._clock
        )
        async with anyio.create_task_group() as outer:
            jobs: TaskGroup = await outer.start(self._own_jobs, stop_requests)
            logger.info("Worker %s runs up to %d jobs.", worker.name, worker.max_concurrency)
            try:
                outer.start_soon(self._wakeups.watch)
                task_status.started()
                await claims.run(self._running, lambda claimed: self._start(jobs, claimed))
            finally:
                with anyio.CancelScope(shield=True):
                    await self._drain(worker)
                    jobs.cancel_scope.cancel()
                outer.cancel_scope.cancel()

    async def _own_jobs(
        self, stop_requests: StopRequests, *, task_status: TaskStatus[TaskGroup]
    ) -> None:
        # Shielded: jobs get their grace when everything else is cancelled, and can be cancelled
        # by people during it.
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as jobs:
                task_status.started(jobs)
                await stop_requests.watch()

    def _start(self, jobs: TaskGroup, claimed: list[ClaimedJob]) -> None:
        for job in claimed:
            registered = self._types.named(job.job_type)
            attempt = RunningAttempt(job, in_thread=registered.runs_in_thread)
            self._running.add(attempt)
            jobs.start_soon(self._run_attempt, attempt)

    async def _run_attempt(self, attempt: RunningAttempt) -> None:
        registered = self._types.named(attempt.claimed.job_type)
        try:
            outcome = await self._runner.run(attempt, registered)
            attempt.over = True
            with anyio.CancelScope(shield=True):
                held = outcome is not None and await self._finish(outcome)
            if held and isinstance(outcome, Ended):
                self._statistics.count(attempt.claimed, outcome.state)
            if not held:
                logger.warning(
                    "lost lease: the attempt %d of job %s is no longer this worker's; what it "
                    "did since is not stored.",
                    attempt.claimed.attempt,
                    attempt.claimed.lease.job_id,
                )
        finally:
            self._running.remove(attempt)

    async def _finish(self, outcome: Ended | Released) -> bool:
        lease = outcome.lease
        await until_written(lambda: self._buffer.flush(lease), "progress and logs")
        return await self._finisher.finish(outcome)

    async def _drain(self, worker: WorkerInfo) -> None:
        """Let running jobs end, ask those that remain to stop, hand back what does not."""
        grace = self._options.shutdown_grace.total_seconds()
        if len(self._running):
            logger.info("Stopping: %d jobs have %g s to end.", len(self._running), grace)
        with anyio.move_on_after(grace):
            await self._running.none_left()
        for attempt in self._running:
            attempt.stop(StopReason.SHUTDOWN)
        with anyio.move_on_after(OBEY_SECONDS):
            await self._running.none_left()
        with anyio.move_on_after(FAREWELL_SECONDS):
            await self._hand_back(list(self._running))
            await self._store.unregister(worker.name)

    async def _hand_back(self, ignorant: list[RunningAttempt]) -> None:
        """Give up attempts that do not stop, so that other workers can have their jobs."""
        for attempt in ignorant:
            kind = "thread" if attempt.in_thread else "task"
            logger.error(
                "The job %s (%s) ignores the request to stop; its %s is abandoned.",
                attempt.claimed.lease.job_id,
                attempt.claimed.job_type,
                kind,
            )
            attempt.give_up()
        with anyio.move_on_after(OBEY_SECONDS):
            await self._running.none_left()
        now = self._clock.now()
        error = "handed back: it ignored the request to stop when its worker shut down."
        left = [Released(each.claimed.lease, now, error, spent=False) for each in self._running]
        if left:
            await self._store.release(left, now)

    def _heartbeat(self, worker: WorkerInfo) -> Heartbeat:
        return Heartbeat(
            worker,
            self._database.url,
            self._options.heartbeat_interval.total_seconds(),
            lambda: len(self._running),
            self._clock,
        )
