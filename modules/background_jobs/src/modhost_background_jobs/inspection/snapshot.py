"""The queue at one moment, read once for everything that is shown of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from modhost import ProcessReport
from modhost_background_jobs.inspection.stopped import (
    PausedJobs,
    Server,
    UnservedQueue,
    paused_by,
    unserved_queues,
)
from modhost_background_jobs.model import JobRow, JobTypes, ScheduleRow, WorkerRow, is_bulk_runner
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.load import Load, PendingJobs, QueueLoad
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import QueueClock

DO_NOT_STOP: Final = "jobs that do not stop"


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker; it is alive while its heartbeats arrive within the stall timeout.

    `running` is how many of its slots are busy, `jobs` are the jobs in them, the oldest first.
    """

    row: WorkerRow
    is_alive: bool
    running: int
    jobs: Sequence[JobRow] = ()

    @property
    def is_busy(self) -> bool:
        """Whether it has no free slot."""
        return max(self.running, self.row.unresponsive) >= self.row.max_concurrency

    @property
    def is_stuck(self) -> bool:
        """Whether jobs that do not stop hold all its slots, so that it begins no other."""
        return self.row.unresponsive >= self.row.max_concurrency

    @property
    def report(self) -> ProcessReport:
        """The worker as the host lists its processes."""
        row = self.row
        return ProcessReport(
            name=row.name,
            role="worker",
            version=row.version,
            machine=f"{row.host}, process {row.process}",
            started_at=row.started_at,
            heard_at=row.heartbeat_at,
            is_alive=self.is_alive,
            load=f"{self.running} of {row.max_concurrency} slots busy",
        )

    @property
    def held(self) -> str:
        """How many of its slots are held by jobs that do not stop, in words."""
        slots = self.row.max_concurrency
        return f"{min(self.row.unresponsive, slots)} of {slots} slots are held by {DO_NOT_STOP}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The workers, what is pending by type and queue, the running jobs, the schedules by name.

    Queues are `unserved` by the living workers, or by what this host would run when there are none.
    Bulk changes need no worker: they are not among what is pending.
    """

    now: datetime
    workers: Sequence[WorkerView]
    pending: Sequence[PendingJobs]
    unserved: Sequence[UnservedQueue]
    paused: Sequence[PausedJobs]
    running: Sequence[JobRow]
    running_count: int
    schedules: Sequence[ScheduleRow]

    @property
    def alive(self) -> list[WorkerView]:
        """The workers that are alive."""
        return [worker for worker in self.workers if worker.is_alive]

    @property
    def wrong_clocks(self) -> list[WorkerView]:
        """The living workers whose hosts have found that their clocks differ too much."""
        return [worker for worker in self.alive if worker.row.clock_skew]

    @property
    def unresponsive(self) -> list[WorkerView]:
        """The living workers with jobs that do not stop."""
        return [worker for worker in self.alive if worker.row.unresponsive]

    @property
    def due(self) -> list[PendingJobs]:
        """Those pending with jobs that are due."""
        return [each for each in self.pending if each.oldest_at <= self.now]

    @property
    def pending_types(self) -> dict[str, datetime]:
        """The types with pending jobs, by name, with the due time of the first of each."""
        types: dict[str, datetime] = {}
        for each in self.pending:
            types[each.job_type] = min(types.get(each.job_type, each.oldest_at), each.oldest_at)
        return types

    @property
    def late_schedules(self) -> list[ScheduleRow]:
        """The schedules that should have fired."""
        return [row for row in self.schedules if row.late_since(self.now)]


@dataclass(frozen=True, slots=True)
class _WouldServe:
    """What a worker of this host would take."""

    job_types: tuple[str, ...]
    queues: tuple[str, ...]


class Snapshots:
    """Reads the queue."""

    def __init__(
        self,
        load: QueueLoad,
        schedules: RecurringSchedules,
        types: JobTypes,
        options: BackgroundJobsOptions,
        clock: QueueClock,
    ) -> None:
        self._load = load
        self._schedules = schedules
        self._bulk_types = types.of_bulk_runners
        self._own = _WouldServe(types.of_workers, options.queues)
        self._stall_timeout = options.stall_timeout
        self._clock = clock

    async def take(self) -> Snapshot:
        """Return a snapshot, by index lookups, however many jobs there are."""
        load = await self._load.read()
        now = self._clock.now()
        workers = self._views(load.workers, load.running, now)
        pending = [each for each in load.pending if each.job_type not in self._bulk_types]
        unserved, paused = await self._stopped(load, workers, pending, now)
        return Snapshot(
            now=now,
            workers=workers,
            pending=pending,
            unserved=unserved,
            paused=paused,
            running=sorted(load.running, key=lambda row: row.id, reverse=True),
            running_count=load.running_count,
            schedules=await self._schedules.all(),
        )

    async def _stopped(
        self,
        load: Load,
        workers: Sequence[WorkerView],
        pending: Sequence[PendingJobs],
        now: datetime,
    ) -> tuple[list[UnservedQueue], list[PausedJobs]]:
        """Return what nobody starts; it is counted, by a statement, only where there is some."""
        pauses = [pause for pause in load.pauses if pause.is_active(now)]
        paused = [(pause, found) for pause in pauses if (found := paused_by(pause, pending, now))]
        is_paused = {pause.name for pause in pauses if pause.kind == "queue"}
        alive = [worker.row for worker in workers if worker.is_alive]
        servers: Sequence[Server] = alive or [self._own]
        unserved = {
            queue: found
            for queue, found in unserved_queues(pending, servers).items()
            if queue not in is_paused
        }
        of_queues = await self._load.counts(list(unserved.values()))
        stopping = [pause for pause, _ in paused]
        of_pauses = await self._load.counts([found for _, found in paused], due_by=now)
        return (
            [UnservedQueue(*each) for each in zip(unserved, of_queues, strict=True) if each[1]],
            [PausedJobs(*each) for each in zip(stopping, of_pauses, strict=True) if each[1]],
        )

    async def workers(self) -> list[WorkerView]:
        """Return the workers by name, without their jobs."""
        return self._views(await self._load.workers(), (), self._clock.now())

    def _views(
        self, workers: Sequence[WorkerRow], running: Sequence[JobRow], now: datetime
    ) -> list[WorkerView]:
        oldest_first = sorted(running, key=lambda row: (row.started_at or now, row.id))
        return [
            WorkerView(
                row=row,
                is_alive=_silence(row, now) < self._stall_timeout,
                # A worker claims more jobs than it has slots, to start them without a claim.
                running=min(row.running, row.max_concurrency),
                jobs=[job for job in oldest_first if job.worker == row.name][: row.max_concurrency],
            )
            for row in workers
            if not is_bulk_runner(row.name)
        ]


def _silence(row: WorkerRow, now: datetime) -> timedelta:
    """Return for how long a worker was not heard of.

    With a file the time of its heartbeat is that of its host, whose clock may be known to be wrong.
    """
    silence = now - row.heartbeat_at
    if not row.clock_skew:
        return silence
    return min(abs(silence), abs(silence + timedelta(seconds=row.clock_skew)))
