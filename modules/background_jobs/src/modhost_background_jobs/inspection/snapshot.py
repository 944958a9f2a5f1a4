"""The queue at one moment, read once for everything that is shown of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from modhost_background_jobs.contracts import WorkerNotFound
from modhost_background_jobs.inspection.stopped import (
    PausedJobs,
    Server,
    UnservedQueue,
    paused_by,
    unserved_queues,
)
from modhost_background_jobs.inspection.workers.view import WorkerView, views_of
from modhost_background_jobs.model import JobRow, JobTypes, ScheduleRow
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.load import Load, PendingJobs, QueueLoad
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import QueueClock


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The workers, what is pending by type and queue, the running jobs, the schedules by name.

    Queues are `unserved` by the workers that claim jobs, or by what this host would run when there
    are none.
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
    def consuming(self) -> list[WorkerView]:
        """The workers that claim jobs."""
        return [worker for worker in self.workers if worker.is_consuming]

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
        workers = views_of(load.workers, load.running, now, self._stall_timeout)
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
        consuming = [worker.row for worker in workers if worker.is_consuming]
        servers: Sequence[Server] = consuming or [self._own]
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
        """Return the workers, the troubled ones first, without their jobs."""
        return views_of(await self._load.workers(), (), self._clock.now(), self._stall_timeout)

    async def worker(self, name: str) -> WorkerView:
        """Return a worker, without its jobs. Raises `WorkerNotFound`."""
        found = await self._load.worker(name)
        for view in views_of(found, (), self._clock.now(), self._stall_timeout):
            return view
        raise WorkerNotFound(name)
