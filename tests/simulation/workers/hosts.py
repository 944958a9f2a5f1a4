"""A consumer's process: the hosted services as they are, over a bad way to the database."""

from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final, cast

import anyio

from modhost.module import HostedService
from modhost.runtime.hosted_services import HostedServiceFailed, Supervisor
from modhost.services import ServiceProvider
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.maintenance.recurring import RecurringJobsService
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService
from modhost_background_jobs.model import JobTypes, WorkerInfo
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.statistics import StatisticsStore
from modhost_background_jobs.worker.attempts.poison_jobs import PoisonJobs
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.stop_requests import WARY_SECONDS
from modhost_background_jobs.worker.attempts.unresponsive import UnresponsiveAttempts
from modhost_background_jobs.worker.finishing.finisher import Finisher
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer, ProgressFlushService
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.liveness.heartbeat import Heartbeat
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.processor import JobProcessorService
from simulation.workers.distant import Distant
from simulation.workers.faults import Way
from simulation.workers.history import History, process_of, short
from simulation.workers.jobs import REGISTERED, Stage
from simulation.workers.stand_ins import Heart, NoProcesses, Provider, Wakeups
from simulation.workers.virtual_time import VirtualClock

OPTIONS: Final = BackgroundJobsOptions(
    max_concurrency=3,
    retry_base_delay=timedelta(seconds=1),
    retry_max_delay=timedelta(seconds=10),
    shutdown_grace=timedelta(seconds=5),
)
"""The timings that matter here are the default ones."""

STOP_SECONDS: Final = 30.0

PROCESS: ContextVar[str] = ContextVar("process")


class SimulatedHost:
    """One process; `run` returns when it has stopped."""

    def __init__(
        self,
        way: Way,
        store: JobStore,
        schedules: Distant,
        firing: Distant,
        history: History,
        clock: VirtualClock,
    ) -> None:
        self.way = way
        way.on_stop = self.stop
        self._store = store
        self._schedules = cast(RecurringSchedules, schedules)
        self._firing = cast(RecurringFiring, firing)
        self._history = history
        self._clock = clock
        self.wakeups = Wakeups()
        self.processor: JobProcessorService | None = None
        self._is_to_stop = anyio.Event()
        self._scope = anyio.CancelScope()

    @property
    def is_going(self) -> bool:
        """Whether it neither was killed nor is to stop."""
        return not (self.way.is_dead or self._is_to_stop.is_set())

    def stop(self) -> None:
        """Ask it to shut down, as SIGTERM does."""
        self._is_to_stop.set()

    def kill(self) -> None:
        """End it at once: nothing of it reaches the database any more."""
        self.way.is_dead = True
        self._history.killed(self.way.name)
        self._scope.cancel()

    async def run(self) -> None:
        PROCESS.set(self.way.name)
        with self._scope:
            while self.is_going:
                supervisor = Supervisor(self._services(), STOP_SECONDS, self._clock)
                try:
                    async with supervisor.running():
                        await self._is_to_stop.wait()
                        asked_at = self._clock.monotonic()
                    self._note_what_is_left(asked_at)
                except HostedServiceFailed:
                    await anyio.sleep(1)
                self._note_crashes(supervisor)

    def _note_what_is_left(self, asked_at: float) -> None:
        """After a shutdown in which nothing was lost on the way, the process has no job.

        Nor before it: what a claim took whose answer was lost may not be found in time.
        """
        if self.way.is_dead or self.way.lost_at > asked_at - WARY_SECONDS:
            return
        for job, row in self._history.rows.items():
            if row.state is JobState.RUNNING and process_of(row.worker or "") == self.way.name:
                self._history.wrongs.append(f"{self.way.name} has left {short(job)}")

    def _note_crashes(self, supervisor: Supervisor) -> None:
        for each in supervisor.report():
            if each.restarts and not self.way.is_dead:
                crash = f"{self.way.name}: the {each.name} crashed: {each.last_error}"
                self._history.wrongs.append(crash)

    def _services(self) -> list[HostedService]:
        buffer = ProgressBuffer(
            self._store, OPTIONS.max_log_entries, OPTIONS.progress_flush_batch_size
        )
        statistics = StatisticsService(cast(StatisticsStore, None), self._clock)
        sweeper = StalledJobSweeperService(self._store, OPTIONS, self._clock)
        provider = cast(ServiceProvider, Provider(Stage(self._history, self.way)))
        self.processor = _Processor(
            cast(Any, None),
            self._store,
            self.wakeups,
            JobTypes([REGISTERED]),
            AttemptRunner(provider, buffer, OPTIONS, self._clock),
            cast(ProcessRunner, NoProcesses()),
            Finisher(self._store, buffer, statistics, self._clock),
            statistics,
            sweeper,
            UnresponsiveAttempts(buffer, self._clock),
            PoisonJobs(self._store, OPTIONS, self._clock),
            OPTIONS,
            self._clock,
        )
        self.processor.history = self._history
        recurring = RecurringJobsService(self._firing, self._schedules, OPTIONS, self._clock)
        flush = ProgressFlushService(buffer, OPTIONS)
        return [flush, self.processor, sweeper, recurring]


class _Processor(JobProcessorService):
    history: History
    _clock: VirtualClock

    def _heartbeat(self, worker: WorkerInfo) -> Heartbeat:
        interval = self._options.heartbeat_interval.total_seconds()
        return cast(Heartbeat, Heart(worker, self._store, interval, self._clock, self.history))
