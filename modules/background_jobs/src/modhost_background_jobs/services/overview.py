"""How the queue is doing, from index lookups and roll-ups: nothing here counts history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from modhost.clock import Clock
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.histogram import Histogram
from modhost_background_jobs.queue.load import QueueLoad, WaitingJob, WaitingType, WorkerRow
from modhost_background_jobs.queue.recurring import RecurringSchedules
from modhost_background_jobs.queue.statistics import MinuteCounts, StatisticsStore

Span = Literal["hour", "day"]
_SPANS: Final = {
    "hour": (timedelta(hours=1), timedelta(minutes=1)),
    "day": (timedelta(days=1), timedelta(minutes=30)),
}
_LATE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of the dashboard; `pending` stops at a bound, which `pending_is_capped` tells."""

    running: int
    pending: int
    pending_is_capped: bool
    oldest_pending_at: datetime | None
    failed_last_day: int
    recurring: int


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker; it is alive while it was heard of within the stall timeout."""

    name: str
    host: str
    process: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    max_concurrency: int
    running: int
    job_types: tuple[str, ...]
    is_alive: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """What ended within a span of time; percentiles are in seconds."""

    start: datetime
    completed: int
    failed: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that somebody should look at."""

    title: str
    text: str
    href: str | None = None


class Overview:
    """What the dashboard shows."""

    def __init__(
        self,
        load: QueueLoad,
        schedules: RecurringSchedules,
        statistics: StatisticsStore,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._load = load
        self._schedules = schedules
        self._statistics = statistics
        self._options = options
        self._clock = clock

    async def summary(self) -> Summary:
        """Return the counts."""
        now = self._clock.now()
        pending, is_capped = await self._load.pending()
        waiting = await self._load.waiting_types()
        due = [each.oldest_at for each in waiting if each.oldest_at <= now]
        last_day = await self._statistics.since(now - timedelta(days=1), timedelta(days=2))
        return Summary(
            running=await self._load.running(),
            pending=pending,
            pending_is_capped=is_capped,
            oldest_pending_at=min(due, default=None),
            failed_last_day=sum(counts.failed for counts in last_day.values()),
            recurring=await self._schedules.count(),
        )

    async def workers(self) -> list[WorkerView]:
        """Return the workers by name."""
        now = self._clock.now()
        return [self._view(row, now) for row in await self._load.workers()]

    async def history(self, span: Span) -> list[Bucket]:
        """Return the last hour by the minute, or the last day by the half hour, oldest first."""
        length, width = _SPANS[span]
        now = self._clock.now()
        # By the clock, 09:00 and 09:30, not by when somebody looks.
        end = now - (now - _EPOCH) % width + width
        start = end - length
        counted = await self._statistics.since(start, width)
        return [
            _bucket(moment, counted.get(moment, MinuteCounts()))
            for moment in (start + number * width for number in range(length // width))
        ]

    async def attention(self) -> list[Attention]:
        """Return what needs a look, the most pressing first."""
        now = self._clock.now()
        workers = [self._view(row, now) for row in await self._load.workers()]
        waiting = await self._load.waiting_types()
        return [
            *_no_consumer(workers, [each for each in waiting if each.oldest_at <= now]),
            *_silent(workers),
            *_unknown_types(workers, waiting),
            *await self._missed_schedules(now),
        ]

    async def troubles(self) -> list[str]:
        """Return in words without names what keeps jobs from running, for probes and doctors."""
        now = self._clock.now()
        workers = [self._view(row, now) for row in await self._load.workers()]
        waiting = await self._load.waiting_types()
        late = await self._missed_schedules(now)
        troubles = []
        is_due = any(each.oldest_at < now - _LATE for each in waiting) or late
        if is_due and not any(worker.is_alive for worker in workers):
            troubles.append("Jobs or schedules are due, and no consumer is alive.")
        unknown = _unknown_types(workers, waiting)
        if unknown:
            troubles.append(f"No consumer knows the type of some waiting jobs ({len(unknown)}).")
        return troubles

    async def why_waiting(self, job_id: UUID) -> str | None:
        """Return in a sentence why a pending job waits; None for a job that does not."""
        job = await self._load.waiting_job(job_id)
        if job is None:
            return None
        now = self._clock.now()
        workers = [self._view(row, now) for row in await self._load.workers()]
        alive = [worker for worker in workers if worker.is_alive]
        if job.on_hold:
            return "It waits for an earlier run of its schedule to end."
        if job.execute_at > now:
            if job.attempt:
                return f"Its attempt {job.attempt} failed; the next one is due in {_in(job, now)}."
            return f"It is due in {_in(job, now)}."
        if not alive:
            return "No consumer is alive: start one with `modhost worker`."
        knowing = [worker for worker in alive if job.job_type in worker.job_types]
        if not knowing:
            return (
                f"No living consumer knows the type {job.job_type}; deploy the module that has it."
            )
        if all(worker.running >= worker.max_concurrency for worker in knowing):
            return "All slots of the consumers that know its type are busy."
        return "It is due, and a consumer is about to claim it."

    async def _missed_schedules(self, now: datetime) -> list[Attention]:
        return [
            Attention(
                f"The schedule {row['name']} is late",
                f"It was due at {row['next_run_at']:%Y-%m-%d %H:%M} UTC and has not fired: "
                f"schedules fire only while a consumer runs.",
                "/admin/jobs/recurring",
            )
            for row in await self._schedules.all()
            if row["is_enabled"] and row["next_run_at"] and row["next_run_at"] < now - _LATE
        ]

    def _view(self, row: WorkerRow, now: datetime) -> WorkerView:
        return WorkerView(
            name=row.name,
            host=row.host,
            process=row.process,
            version=row.version,
            started_at=row.started_at,
            heartbeat_at=row.heartbeat_at,
            max_concurrency=row.max_concurrency,
            running=row.running,
            job_types=row.job_types,
            is_alive=now - row.heartbeat_at < self._options.stall_timeout,
        )


def _bucket(start: datetime, counts: MinuteCounts) -> Bucket:
    waits, runs = counts.waits, counts.runs
    return Bucket(
        start,
        counts.completed,
        counts.failed,
        *(_percentiles(waits)),
        *(_percentiles(runs)),
    )


def _percentiles(histogram: Histogram) -> tuple[float | None, float | None]:
    return histogram.percentile(0.5), histogram.percentile(0.95)


def _no_consumer(workers: Sequence[WorkerView], due: Sequence[WaitingType]) -> list[Attention]:
    if any(worker.is_alive for worker in workers):
        return []
    waiting = " Jobs are due and wait." if due else ""
    text = f"No consumer is alive.{waiting} Start one with `modhost worker`."
    return [Attention("Nothing executes jobs", text, "/admin/jobs/workers")]


def _silent(workers: Sequence[WorkerView]) -> list[Attention]:
    return [
        Attention(
            f"The worker {worker.name} is silent",
            f"It was last heard of at {worker.heartbeat_at:%H:%M:%S} UTC; its jobs are handed to "
            f"others by the next sweep.",
            "/admin/jobs/workers",
        )
        for worker in workers
        if not worker.is_alive
    ]


def _unknown_types(
    workers: Sequence[WorkerView], waiting: Sequence[WaitingType]
) -> list[Attention]:
    known = {name for worker in workers if worker.is_alive for name in worker.job_types}
    if not known:
        return []
    return [
        Attention(
            f"No consumer knows the type {each.job_type}",
            "Its jobs wait until a consumer runs that has the module with this type.",
            f"/admin/jobs/list?state=Pending&job_type={each.job_type}",
        )
        for each in waiting
        if each.job_type not in known
    ]


def _in(job: WaitingJob, now: datetime) -> str:
    seconds = max(1, round((job.execute_at - now).total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return f"{seconds} second{'s' if seconds != 1 else ''}"
