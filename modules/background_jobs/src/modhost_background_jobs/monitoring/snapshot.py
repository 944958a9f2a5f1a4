"""What was there at one moment, read once for all that has to be told of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from modhost.clock import Clock
from modhost_background_jobs.model import JobTypes, is_bulk_runner
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import Row
from modhost_background_jobs.queries.load import Load, QueueLoad, WaitingType, WorkerRow
from modhost_background_jobs.queue.schedules import RecurringSchedules


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker; it is alive while it was heard of within the stall timeout.

    `running` is how many of its slots are busy, `jobs` are the jobs in them, the oldest first.
    """

    name: str
    host: str
    process: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    max_concurrency: int
    running: int
    jobs: Sequence[Row]
    job_types: tuple[str, ...]
    is_alive: bool

    @property
    def is_busy(self) -> bool:
        """Tell whether it has no free slot."""
        return self.running >= self.max_concurrency


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The consumers by name, the types that wait, the jobs that run, the schedules by name.

    BulkOrders, of the types in `operations`, need no consumer: they are not among what waits.
    """

    now: datetime
    workers: Sequence[WorkerView]
    waiting: Sequence[WaitingType]
    running: Sequence[Row]
    running_count: int
    schedules: Sequence[Row]
    operations: Sequence[str]

    @property
    def alive(self) -> list[WorkerView]:
        """The workers that are alive."""
        return [worker for worker in self.workers if worker.is_alive]

    @property
    def due(self) -> list[WaitingType]:
        """The types with jobs that are due."""
        return [each for each in self.waiting if each.oldest_at <= self.now]

    def schedule(self, recurring_id: UUID | None) -> Row | None:
        """Return a schedule; None when there is no such (any more)."""
        return next((row for row in self.schedules if row["id"] == recurring_id), None)


class Snapshots:
    """Looks at the queue."""

    def __init__(
        self,
        load: QueueLoad,
        schedules: RecurringSchedules,
        types: JobTypes,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._load = load
        self._schedules = schedules
        self._operations = types.operations
        self._options = options
        self._clock = clock

    async def take(self) -> Snapshot:
        """Look once: a few index lookups, however many jobs there are."""
        load = await self._load.look()
        now = self._clock.now()
        jobs = _by_worker(load.running)
        return Snapshot(
            now=now,
            workers=[
                self._view(row, load, jobs, now)
                for row in load.workers
                if not is_bulk_runner(row.name)
            ],
            waiting=[each for each in load.waiting if each.job_type not in self._operations],
            running=sorted(load.running, key=lambda row: row["id"], reverse=True),
            running_count=sum(load.running_by_worker.values()),
            schedules=await self._schedules.all(),
            operations=self._operations,
        )

    def _view(
        self, row: WorkerRow, load: Load, jobs: Mapping[str, Sequence[Row]], now: datetime
    ) -> WorkerView:
        # A worker claims a few jobs more than it has slots, to begin them without a look.
        slots = row.max_concurrency
        return WorkerView(
            name=row.name,
            host=row.host,
            process=row.process,
            version=row.version,
            started_at=row.started_at,
            heartbeat_at=row.heartbeat_at,
            max_concurrency=slots,
            running=min(load.running_by_worker.get(row.name, 0), slots),
            jobs=jobs.get(row.name, [])[:slots],
            job_types=row.job_types,
            is_alive=now - row.heartbeat_at < self._options.stall_timeout,
        )


def _by_worker(running: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    jobs: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(running, key=lambda row: (row["started_at"], row["id"])):
        jobs[row["worker"]].append(row)
    return jobs
