"""Statistics of finished jobs: counted in memory, written once a second."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import anyio
from anyio.abc import TaskStatus

from modhost.failures import describe
from modhost.metrics import OTHER
from modhost.module import HostInfo, PeriodicService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model import ClaimedJob, CurrentWorker
from modhost_background_jobs.model.counts import JobCounts
from modhost_background_jobs.model.flow import Lane
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import AppVersions, StatisticsStore

logger = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT: Final = 2.0
MAX_KEYS: Final = 200
"""Producers name queues as they like: beyond so many lanes in a minute they count as `OTHER`."""
REPLACED_UNTIL: Final = timedelta(minutes=2)
"""So long after a minute what was stored of it is replaced; later it may be merged already."""
UNNAMED: Final = "unnamed"

_Key: TypeAlias = tuple[str | None, str]
"""A lane and a type, as jobs are claimed."""


class StatisticsService(PeriodicService):
    """Counts finished jobs; a crash loses the counts of the last seconds, and no job."""

    name = "statistics"
    interval = 1.0
    failure = "The write of statistics"

    def __init__(
        self,
        store: StatisticsStore,
        versions: AppVersions,
        worker: CurrentWorker,
        clock: QueueClock,
        host: HostInfo,
    ) -> None:
        self._store = store
        self._versions = versions
        self._worker = worker
        self._clock = clock
        self._app_version = host.app_version
        self._minutes: dict[datetime, dict[_Key, MinuteCounts]] = {}
        self._written: dict[tuple[datetime, TypeKey | None], int] = {}
        self._is_unwritten = False
        self._is_version_noted = not host.app_version
        self.counts = JobCounts()
        """What the worker has counted since its process began."""

    def count(self, finished: Iterable[tuple[ClaimedJob, JobState, datetime]]) -> None:
        """Count jobs whose final states were just stored, with when their attempts finished."""
        now = self._clock.now()
        minute = now.replace(second=0, microsecond=0)
        by_key = self._minutes.setdefault(minute, {})
        # Most of a batch are of one kind, and many durations are counted in the time of a few.
        ended: dict[tuple[_Key, JobState], tuple[list[timedelta], list[timedelta]]] = {}
        for claimed, state, finished_at in finished:
            kind = ((claimed.lane, claimed.job_type), state)
            if (found := ended.get(kind)) is None:
                found = ended[kind] = ([], [])
            found[0].append(claimed.claimed_at - claimed.execute_at)
            found[1].append(finished_at - claimed.claimed_at)
        for (key, state), (waits, runs) in ended.items():
            waited = list(map(timedelta.total_seconds, waits))
            ran = list(map(timedelta.total_seconds, runs))
            if (counts := by_key.get(key)) is None:
                counts = _added(by_key, key)
            counts.count(state, waited, ran)
            self.counts.of(*key).count(state, waited, ran)
        self._is_unwritten = True

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Write once a second until cancelled, and one last time then."""
        try:
            await super().run(task_status=task_status)
        finally:
            with anyio.move_on_after(SHUTDOWN_TIMEOUT, shield=True):
                try:
                    await self.step()
                except Exception as error:  # noqa: BLE001 - counts are lost, and no job
                    logger.warning("The last statistics are lost (%s).", describe(error))

    async def step(self) -> None:
        """Write the counts; those of the current minute are kept, and written again."""
        now = self._clock.now()
        if not self._is_version_noted:
            await self._versions.note(self._app_version, now)
            self._is_version_noted = True
        if not self._is_unwritten:
            return
        current = now.replace(second=0, microsecond=0)
        self._is_unwritten = False
        of_all = [(minute, _total(by_key)) for minute, by_key in self._minutes.items()]
        minutes = [each for each in of_all if self._is_news(each[0], None, each[1], current)]
        of_types = [
            each
            for each in self._of_types()
            if self._is_news(each.start, each.key, each.counts, current)
        ]
        try:
            await self._store.save(self._worker.name or UNNAMED, minutes, of_types)
        except BaseException:
            self._is_unwritten = True
            raise
        for each in of_types:
            self._written[each.start, each.key] = each.counts.total
        for minute, counts in of_all:
            self._written[minute, None] = counts.total
            if minute < current:
                del self._minutes[minute]
        for written in [each for each in self._written if each[0] not in self._minutes]:
            del self._written[written]

    def _of_types(self) -> Iterator[TypeCounts]:
        """Yield what was counted by minute and type; lanes of one queue are counted together."""
        for minute, by_key in self._minutes.items():
            found: dict[TypeKey, MinuteCounts] = {}
            for (lane, job_type), counts in by_key.items():
                key = TypeKey(job_type, _queue_of(lane), self._app_version)
                found.setdefault(key, MinuteCounts()).merge(counts)
            for key, counts in found.items():
                yield TypeCounts(minute, key, counts)

    def _is_news(
        self, minute: datetime, key: TypeKey | None, counts: MinuteCounts, current: datetime
    ) -> bool:
        """Return whether counts of a key, or of all, are yet to be written, and still may be."""
        written = self._written.get((minute, key), 0)
        may_be_merged = written and current - minute > REPLACED_UNTIL
        return counts.total != written and not may_be_merged


def _queue_of(lane: str | None) -> str:
    if lane is None:
        return DEFAULT_QUEUE
    return OTHER if lane == OTHER else Lane.of(lane).queue


def _added(by_key: dict[_Key, MinuteCounts], key: _Key) -> MinuteCounts:
    if len(by_key) >= MAX_KEYS:
        key = (OTHER, key[1])
    return by_key.setdefault(key, MinuteCounts())


def _total(by_key: dict[_Key, MinuteCounts]) -> MinuteCounts:
    total = MinuteCounts()
    for counts in by_key.values():
        total.merge(counts)
    return total
