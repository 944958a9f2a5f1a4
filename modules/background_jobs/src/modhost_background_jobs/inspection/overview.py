"""How the queue is doing, from index lookups and roll-ups: nothing here counts history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from modhost_background_jobs.inspection.snapshot import Snapshot
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.search.failures import FailureCount, RecentFailures
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import AppVersions, SeenVersion, StatisticsStore

Span = Literal["hour", "day", "week"]
_SPANS: Final = {
    "hour": (timedelta(hours=1), timedelta(minutes=1)),
    "day": (timedelta(days=1), timedelta(minutes=30)),
    "week": (timedelta(days=7), timedelta(hours=3)),
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of the dashboard; those that stop at a bound say whether there may be more."""

    running: int
    pending: int
    pending_is_capped: bool
    oldest_pending_at: datetime | None
    failed: FailureCount
    recurring: int


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


class Overview:
    """What the dashboard shows."""

    def __init__(
        self,
        load: QueueLoad,
        failures: RecentFailures,
        statistics: StatisticsStore,
        versions: AppVersions,
        clock: QueueClock,
    ) -> None:
        self._load = load
        self._failures = failures
        self._statistics = statistics
        self._versions = versions
        self._clock = clock

    async def summary(self, snapshot: Snapshot) -> Summary:
        """Return the counts."""
        pending, is_capped = await self._load.pending_count()
        return Summary(
            running=snapshot.running_count,
            pending=pending,
            pending_is_capped=is_capped,
            oldest_pending_at=min((each.oldest_at for each in snapshot.due), default=None),
            failed=await self._failures.last_day(snapshot.now),
            recurring=len(snapshot.schedules),
        )

    async def history(self, span: Span) -> list[Bucket]:
        """Return the last hour by the minute, the day by 30 minutes, the week by 3 hours."""
        length, width = _SPANS[span]
        now = self._clock.now()
        # By the clock, 09:00 and 09:30, not by when somebody looks.
        end = now - (now - _EPOCH) % width + width
        start = end - length
        counted = await self._statistics.since(start, width)
        return [
            bucket_of(moment, counted.get(moment, MinuteCounts()))
            for moment in (start + number * width for number in range(length // width))
        ]

    async def versions(self, history: Sequence[Bucket]) -> list[SeenVersion]:
        """Return the versions of the application that were new since the first bucket."""
        return await self._versions.since(history[0].start)


def bucket_of(start: datetime, counts: MinuteCounts) -> Bucket:
    """Return what ended from a moment on, with percentiles."""
    percentiles = [
        each.percentile(part) for each in (counts.waits, counts.runs) for part in (0.5, 0.95)
    ]
    return Bucket(start, counts.completed, counts.failed, *percentiles)
