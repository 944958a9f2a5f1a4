"""Queues and job types at one moment: what waits, what runs, how fast it goes, who serves them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final

from pydantic import BaseModel

from modhost.database import Database
from modhost_background_jobs.contracts import BackgroundJobsError, RegisteredJob
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.inspection.workers.view import WorkerView
from modhost_background_jobs.model import JobTypes, serves
from modhost_background_jobs.model.pauses import PauseKind, PauseRow
from modhost_background_jobs.queries.flow.backlog import Backlog, backlogs, running_jobs
from modhost_background_jobs.queries.flow.throughput import Key, Throughput, throughput
from modhost_background_jobs.queue.pauses import Pauses
from modhost_background_jobs.storage import QueueClock

_PLACE: Final = {"queue": 0, "type": 1}
"""Where a queue and a type stand in the key of a count."""


class UnknownJobType(BackgroundJobsError):
    """No class of this host, no living worker and no job is of this type."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        near = get_close_matches(name, known, 1)
        remedy = f"Did you mean {near[0]!r}?" if near else "`modhost jobs types list` shows all."
        super().__init__(f"There is no job type {ascii(name)[:100]}. {remedy}")


class QueueStatus(BaseModel):
    """A queue, or a job type.

    `pending` and `due` stop at 10,000 jobs of a type in a queue. `workers` are those that claim
    jobs, and serve the queue, or know the type.
    """

    name: str
    is_paused: bool
    paused_by: str | None
    paused_until: datetime | None
    reason: str | None
    pending: int
    due: int
    running: int
    oldest_due_at: datetime | None
    finished_last_minute: int
    workers: int

    def resumed(self) -> "QueueStatus":
        """Return it as it is after its pause, also where nothing else makes it known."""
        ended = {"is_paused": False, "paused_by": None, "paused_until": None, "reason": None}
        return self.model_copy(update=ended)


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue, or a job type, with what only people are shown.

    Attributes:
        status: what the API answers.
        paused_at: since when it is paused.
        is_capped: whether more are pending than were counted.
        arrived_last_minute: how many were enqueued.

    """

    status: QueueStatus
    paused_at: datetime | None
    is_capped: bool
    arrived_last_minute: int

    @classmethod
    def idle(cls, name: str) -> "QueueView":
        """Return what neither waits nor runs."""
        return _view(name, None, (), 0, 0, 0, 0)

    @property
    def catches_up_in(self) -> timedelta | None:
        """How long until nothing due waits, as fast as it goes; None where more arrives."""
        gained = self.status.finished_last_minute - self.arrived_last_minute
        if not self.status.due:
            return timedelta(0)
        return timedelta(minutes=self.status.due / gained) if gained > 0 else None


@dataclass(frozen=True, slots=True)
class _Counts:
    waiting: list[Backlog]
    running: Mapping[Key, int]
    speed: Throughput
    pauses: list[PauseRow]
    alive: list[WorkerView]


class Queues:
    """Reads the queues and the job types; every number is bounded, however many jobs there are."""

    def __init__(
        self,
        database: Database,
        pauses: Pauses,
        snapshots: Snapshots,
        registered: tuple[RegisteredJob, ...],
        types: JobTypes,
        clock: QueueClock,
    ) -> None:
        self._database = database
        self._pauses = pauses
        self._snapshots = snapshots
        classes = [each for each in registered if each.job_type not in types.of_bulk_runners]
        self._queues = {DEFAULT_QUEUE, *(each.job_class.queue for each in classes)}
        self._types = {each.job_type for each in classes if not each.is_alias}
        # Bulk changes need no worker, and no queue holds them up.
        self._hidden = {*types.of_bulk_runners, *(e.job_type for e in registered if e.is_alias)}
        self._bulk = frozenset(types.of_bulk_runners)
        self._clock = clock

    async def all(self) -> tuple[list[QueueView], list[QueueView]]:
        """Return the queues and the job types, by name."""
        counts = await self._read()
        return self._views("queue", counts), self._views("type", counts)

    async def queues(self) -> list[QueueStatus]:
        """Return the queues by name: those of classes, jobs and workers, and those paused."""
        return [each.status for each in self._views("queue", await self._read())]

    async def queue(self, name: str) -> QueueStatus:
        """Return a queue, also one that nothing is known of."""
        views = self._views("queue", await self._read(), name)
        return next(each.status for each in views if each.status.name == name)

    async def types(self) -> list[QueueStatus]:
        """Return the job types by name: those of classes, jobs and workers, and those paused."""
        return [each.status for each in self._views("type", await self._read())]

    async def job_type(self, name: str) -> QueueStatus:
        """Return a job type. Raises `UnknownJobType`."""
        found = {each.name: each for each in await self.types()}
        if name not in found:
            raise UnknownJobType(name, found)
        return found[name]

    async def _read(self) -> _Counts:
        now = self._clock.now()
        workers = await self._snapshots.workers()
        async with self._database.reading() as session:
            connection = await session.connection()
            return _Counts(
                waiting=[
                    each
                    for each in await backlogs(connection, now)
                    if each.job_type not in self._bulk
                ],
                running=self._shown((await running_jobs(connection)).by_queue_and_type),
                speed=await throughput(connection, now),
                pauses=await self._pauses.active(session),
                alive=[each for each in workers if each.is_alive],
            )

    def _shown(self, counts: Mapping[Key, int]) -> dict[Key, int]:
        return {key: count for key, count in counts.items() if key[1] not in self._bulk}

    def _views(self, kind: PauseKind, counts: _Counts, *more: str) -> list[QueueView]:
        place = _PLACE[kind]
        waiting: dict[str, list[Backlog]] = {}
        for backlog in counts.waiting:
            waiting.setdefault((backlog.queue, backlog.job_type)[place], []).append(backlog)
        running = _by_name(counts.running, place)
        finished = _by_name(self._shown(counts.speed.finished), place)
        arrived = _by_name(self._shown(counts.speed.arrived), place)
        pauses = {each.name: each for each in counts.pauses if each.kind == kind}
        names = {*waiting, *running, *finished, *pauses, *more, *self._named(kind, counts.alive)}
        return [
            _view(
                name,
                pauses.get(name),
                waiting.get(name, ()),
                running[name],
                finished[name],
                arrived[name],
                _workers(kind, name, counts.alive),
            )
            for name in sorted(names)
        ]

    def _named(self, kind: PauseKind, alive: list[WorkerView]) -> set[str]:
        """Return the names that classes and workers have, whether there are jobs or not."""
        if kind == "type":
            of_workers = {each for worker in alive for each in worker.row.job_types}
            return self._types | (of_workers - self._hidden)
        patterns = {each.removeprefix("!") for worker in alive for each in worker.row.queues}
        return self._queues | (patterns - {"*"})


def _by_name(counts: Mapping[Key, int], place: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in counts.items():
        found[key[place]] += count
    return found


def _workers(kind: PauseKind, name: str, alive: list[WorkerView]) -> int:
    consuming = [worker.row for worker in alive if worker.is_consuming]
    if kind == "type":
        return sum(name in worker.job_types for worker in consuming)
    return sum(serves(worker.queues, name) for worker in consuming)


def _view(
    name: str,
    pause: PauseRow | None,
    waiting: Iterable[Backlog],
    running: int,
    finished: int,
    arrived: int,
    workers: int,
) -> QueueView:
    parts = list(waiting)
    due = sum(each.due for each in parts)
    status = QueueStatus(
        name=name,
        is_paused=pause is not None,
        paused_by=pause and pause.paused_by,
        paused_until=pause and pause.paused_until,
        reason=pause and pause.reason,
        pending=due + sum(each.later for each in parts),
        due=due,
        running=running,
        oldest_due_at=min((at for each in parts if (at := each.oldest_due_at)), default=None),
        finished_last_minute=finished,
        workers=workers,
    )
    is_capped = any(each.is_capped for each in parts)
    paused_at = None if pause is None else pause.paused_at
    return QueueView(status, paused_at, is_capped, arrived)
