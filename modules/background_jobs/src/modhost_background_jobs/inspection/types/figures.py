"""Figures of job types over spans of time, from roll-ups: as many rows however many jobs."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel

from modhost_background_jobs.inspection.overview import Bucket, bucket_of
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import TypeStatisticsStore
from modhost_background_jobs.storage.statistics.rows import HOUR, MINUTE

ComparedSpan: TypeAlias = Literal["hour", "day", "week"]
TypeSpan: TypeAlias = Literal["hour", "day", "week", "quarter"]
DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SpanShape(NamedTuple):
    """How long a span is, the width of the roll-ups that it is read from, and of its bars."""

    length: timedelta
    rows: timedelta
    bars: timedelta


SHAPES: Final[dict[TypeSpan, SpanShape]] = {
    "hour": SpanShape(HOUR, MINUTE, MINUTE),
    "day": SpanShape(DAY, HOUR, HOUR),
    "week": SpanShape(7 * DAY, HOUR, 3 * HOUR),
    "quarter": SpanShape(90 * DAY, HOUR, DAY),
}
COMPARED: Final[tuple[ComparedSpan, ...]] = ("hour", "day", "week")


class Figures(BaseModel):
    """What finished within a span; waits and runs are in seconds, null where nothing did."""

    completed: int
    failed: int
    cancelled: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None

    @classmethod
    def of(cls, counts: MinuteCounts) -> "Figures":
        """Return the figures of what was counted."""
        return cls(
            completed=counts.completed,
            failed=counts.failed,
            cancelled=counts.cancelled,
            wait_p50=counts.waits.percentile(0.5),
            wait_p95=counts.waits.percentile(0.95),
            run_p50=counts.runs.percentile(0.5),
            run_p95=counts.runs.percentile(0.95),
        )


class SpanFigures(BaseModel):
    """The figures of a span that ends now, and of the one of the same length before it."""

    span: ComparedSpan
    now: Figures
    before: Figures


class VersionFigures(BaseModel):
    """The figures of a version of the application; empty for jobs that ran without one."""

    version: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class TypeHistory:
    """A type over time: compared spans, the bars of one, and what versions did within it."""

    spans: list[SpanFigures]
    buckets: list[Bucket]
    versions: list[VersionFigures]


class TypeFigures:
    """Reads the figures."""

    def __init__(self, store: TypeStatisticsStore, clock: QueueClock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, span: ComparedSpan) -> dict[str, SpanFigures]:
        """Return the figures of each type that finished jobs within a span or the one before."""
        shape = SHAPES[span]
        start = _end(self._clock.now(), shape.rows) - shape.length
        found = await self._store.compared(start - shape.length, start, shape.rows)
        return {name: _figures(span, each.now, each.before) for name, each in found.items()}

    async def of_type(self, job_type: str, span: TypeSpan) -> TypeHistory:
        """Return the figures of a type; bars and versions are those of a span."""
        hour_start, minutes = await self._compared("hour", job_type)
        # Both are read from the same hours.
        week_start, hours = await self._compared("week", job_type)
        day_start = _end(self._clock.now(), HOUR) - DAY
        spans = [
            _compare("hour", minutes, hour_start),
            _compare("day", [each for each in hours if each.start >= day_start - DAY], day_start),
            _compare("week", hours, week_start),
        ]
        shape = SHAPES[span]
        end = _end(self._clock.now(), shape.bars)
        start = end - shape.length
        rows = minutes if span == "hour" else hours
        if span == "quarter":
            rows = await self._store.since(start, HOUR, job_type)
        within = [each for each in rows if each.start >= start]
        bars: dict[datetime, MinuteCounts] = defaultdict(MinuteCounts)
        for each in within:
            bars[start + (each.start - start) // shape.bars * shape.bars].merge(each.counts)
        moments = (start + n * shape.bars for n in range(shape.length // shape.bars))
        buckets = [bucket_of(moment, bars.get(moment, MinuteCounts())) for moment in moments]
        return TypeHistory(spans, buckets, _by_version(within))

    async def _compared(
        self, span: ComparedSpan, job_type: str
    ) -> tuple[datetime, list[TypeCounts]]:
        """Return when a span has begun, and what finished in it and in the one before."""
        shape = SHAPES[span]
        start = _end(self._clock.now(), shape.rows) - shape.length
        return start, await self._store.since(start - shape.length, shape.rows, job_type)


def _end(now: datetime, width: timedelta) -> datetime:
    """Return the end of the minute, the hour and so on that a moment is in."""
    return now - (now - _EPOCH) % width + width


def _compare(span: ComparedSpan, rows: Iterable[TypeCounts], start: datetime) -> SpanFigures:
    now, before = MinuteCounts(), MinuteCounts()
    for each in rows:
        (now if each.start >= start else before).merge(each.counts)
    return _figures(span, now, before)


def _figures(span: ComparedSpan, now: MinuteCounts, before: MinuteCounts) -> SpanFigures:
    return SpanFigures(span=span, now=Figures.of(now), before=Figures.of(before))


def _by_version(rows: Iterable[TypeCounts]) -> list[VersionFigures]:
    """Return the figures of each version, the one that ran last first."""
    found: dict[str, MinuteCounts] = defaultdict(MinuteCounts)
    last: dict[str, datetime] = {}
    for each in rows:
        version = each.key.app_version
        found[version].merge(each.counts)
        last[version] = max(last.get(version, each.start), each.start)
    newest = sorted(found, key=lambda version: (last[version], version), reverse=True)
    return [VersionFigures(version=each, figures=Figures.of(found[each])) for each in newest]
