"""A consumer's process: the real hosted services, over a faulty link to the database."""

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final, cast

import anyio

from modhost.database import Database
from modhost.events import Events
from modhost.module import HostedService, HostInfo
from modhost.runtime.hosted_services import HostedServiceFailed, Supervisor
from modhost.runtime.shutdown import ShutdownSignal
from modhost.services import ServiceProvider
from modhost.telemetry import ErrorReports
from modhost_background_jobs.contracts import JobState, RegisteredJob
from modhost_background_jobs.maintenance.recurring import RecurringJobsService
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService
from modhost_background_jobs.model import CurrentWorker, JobTypes, WorkerInfo
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore, LaneStore, Turns
from modhost_background_jobs.storage.statistics import StatisticsStore
from modhost_background_jobs.worker.attempts.outcome import Outcomes
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.steps.attempt_steps import StepTools
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.lanes import Lanes
from modhost_background_jobs.worker.executor import AttemptExecutor
from modhost_background_jobs.worker.finishing.finisher import Finisher, OutcomeWriter
from modhost_background_jobs.worker.finishing.in_process import InProcessEnds
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.heartbeat import HeartbeatThread
from modhost_background_jobs.worker.processor import JobProcessorService
from modhost_background_jobs.worker.registration import WorkerRegistration
from modhost_background_jobs.worker.shutdown import Shutdown
from modhost_background_jobs.worker.watching.lease_watch import WARY_SECONDS, WorkerWatch
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts
from simulation.history import History, process_of, short
from simulation.links.databases import Remote
from simulation.links.faults import Link
from simulation.virtual_time import VirtualClock
from simulation.workers.jobs import Stage
from simulation.workers.stand_ins import (
    FiredWakeups,
    NoProcesses,
    NoSession,
    Provider,
    SimulatedHeartbeat,
)

HOST: Final = HostInfo("worker", "production", "1.0.0")
OPTIONS: Final = BackgroundJobsOptions(
    max_concurrency=3,
    retry_base_delay=timedelta(seconds=1),
    retry_max_delay=timedelta(seconds=10),
    shutdown_grace=timedelta(seconds=5),
)
"""The timings that matter here are the defaults."""

STOP_SECONDS: Final = 30.0
MOMENT: Final = 0.5

PROCESS: ContextVar[str] = ContextVar("process")


class SimulatedHost:
    """One process; `run` returns when it has stopped."""

    def __init__(
        self,
        link: Link,
        store: JobStore,
        lanes: LaneStore,
        turns: Remote,
        schedules: Remote,
        changes: Remote,
        firing: Remote,
        history: History,
        clock: VirtualClock,
        options: BackgroundJobsOptions,
        types: Sequence[RegisteredJob],
    ) -> None:
        self.link = link
        link.on_stop = self.stop
        self._store = store
        self._lanes = lanes
        self._turns = cast(Turns, turns)
        self._schedules = cast(RecurringSchedules, schedules)
        self._changes = cast(ScheduleChanges, changes)
        self._firing = cast(RecurringFiring, firing)
        self._history = history
        self._clock = clock
        self._options = options
        self.types = types
        self.wakeups = FiredWakeups()
        self.processor: JobProcessorService | None = None
        self._is_to_stop = anyio.Event()
        self._scope = anyio.CancelScope()

    @property
    def is_alive(self) -> bool:
        """Whether it was neither killed nor asked to stop."""
        return not (self.link.is_dead or self._is_to_stop.is_set())

    def stop(self) -> None:
        """Ask it to shut down, as SIGTERM does."""
        self._history.asked_to_stop.setdefault(self.link.name, self._clock.monotonic())
        self._is_to_stop.set()

    def kill(self) -> None:
        """End it at once: none of its calls reaches the database any more."""
        self.link.is_dead = True
        self._history.killed(self.link.name)
        self._scope.cancel()

    async def run(self) -> None:
        PROCESS.set(self.link.name)
        with self._scope:
            while self.is_alive:
                supervisor = Supervisor(self._services(), STOP_SECONDS, self._clock)
                try:
                    async with supervisor.running():
                        await self._is_to_stop.wait()
                        asked_at = self._clock.monotonic()
                    self._check_what_is_left(asked_at)
                except HostedServiceFailed:
                    await anyio.sleep(1)
                self._record_crashes(supervisor)

    def _check_what_is_left(self, asked_at: float) -> None:
        """After a shutdown in which no call was lost, the process has no job.

        Nor before it: jobs of a claim whose answer was lost may not be found in time. A write that
        outlasts the shutdown leaves no time for others: to a file it is waited for.
        """
        if self.link.is_dead or self.link.lost_at > asked_at - WARY_SECONDS:
            return
        if any(until > self._clock.monotonic() - MOMENT for _, until in self.link.troubles):
            return
        for job, row in self._history.rows.items():
            if row.state is JobState.RUNNING and process_of(row.worker or "") == self.link.name:
                self._history.violations.append(f"{self.link.name} has left {short(job)}")

    def _record_crashes(self, supervisor: Supervisor) -> None:
        for each in supervisor.report():
            if each.restarts and not self.link.is_dead:
                crash = f"{self.link.name}: the {each.name} crashed: {each.last_error}"
                self._history.violations.append(crash)

    def _services(self) -> list[HostedService]:
        store, clock, options = self._store, self._clock, self._options
        worker = CurrentWorker()
        types = JobTypes(self.types)
        buffer = ProgressBuffer(store, options)
        statistics = StatisticsService(
            cast(StatisticsStore, None), cast(Any, None), worker, clock, HOST
        )
        provider = cast(ServiceProvider, Provider(Stage(self._history, self.link)))
        outcomes = Outcomes(options, clock)
        steps = StepTools(cast(Database, NoSession()), store, cast(Any, None), options, clock)
        runner = AttemptRunner(provider, buffer, steps, outcomes, options, clock)
        processes = cast(Any, NoProcesses())
        ends = InProcessEnds(cast(Events, None), (), cast(Database, None), types)
        writer = OutcomeWriter(store, self._lanes, buffer, clock, ends)
        registration = _Registration(
            cast(Any, None), store, types, worker, self.wakeups, options, clock, HOST
        )
        registration.history = self._history
        lanes = Lanes(types, self._lanes, self._turns, options, clock, store)
        claims = ClaimLoop(
            types, store, self.wakeups, options, ShutdownSignal(), clock, lanes, worker
        )
        unresponsive = UnresponsiveAttempts(buffer, clock)
        self.processor = JobProcessorService(
            registration,
            self.wakeups,
            claims,
            AttemptExecutor(
                runner, processes, outcomes, store, options, ShutdownSignal(), ErrorReports(), clock
            ),
            Finisher(writer, statistics, clock),
            processes,
            WorkerWatch(store, self.wakeups, claims, unresponsive, clock),
            Shutdown(writer, options, worker),
            clock,
            worker,
        )
        return [
            buffer,
            self.processor,
            StalledJobSweeperService(store, worker, options, clock),
            RecurringJobsService(
                self._firing, self._schedules, self._changes, types, options, clock
            ),
        ]


class _Registration(WorkerRegistration):
    history: History
    _clock: VirtualClock

    def _heartbeat(self, worker: WorkerInfo, own: CurrentWorker | None = None) -> HeartbeatThread:
        interval = self._options.heartbeat_interval.total_seconds()
        heartbeat = SimulatedHeartbeat(
            worker, self._store, interval, self._clock, self.history, own or CurrentWorker()
        )
        return cast(HeartbeatThread, heartbeat)
