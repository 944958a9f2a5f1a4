"""Charts of jobs: scales up to a round number or by powers, bars, lines, and deployments."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from modhost.web.charts import LinearScale, linear, lines
from modhost_background_jobs.inspection.overview import Bucket
from modhost_background_jobs.storage.statistics import SeenVersion

_UNITS: Final = (86_400, 3600, 60, 1)
_RUNGS: Final = (
    *(0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1, 10),
    *(60, 600, 3600, 36_000, 432_000, 4_320_000, 43_200_000, 432_000_000),
)
"""Milliseconds, seconds, minutes, hours and days, each in round numbers."""
_MAX_STEPS: Final = 4
_DWARFED: Final = 20
"""How many times the middle value the largest may be before the rest would lie on the ground."""
_GAP: Final = 0.2


@dataclass(frozen=True, slots=True)
class LogarithmicScale:
    """Equal distances for equal ratios, more or less.

    The rungs, from the bottom, are as far from one another, though some are ten and some are six
    times the one before, so that all are round numbers of seconds, minutes or hours. There is a
    tick at every `step`-th of them.
    """

    rungs: tuple[float, ...]
    step: int

    def y(self, value: float) -> float:
        """Return how far below the upper edge of 100 a value lies."""
        inside = min(max(value, self.rungs[0]), self.rungs[-1])
        upper = max(bisect_left(self.rungs, inside), 1)
        low, high = self.rungs[upper - 1], self.rungs[upper]
        climbed = upper - 1 + math.log(inside / low) / math.log(high / low)
        return round(100 - 100 * climbed / (len(self.rungs) - 1), 2)

    @property
    def ticks(self) -> list[float]:
        """The values beside the axis, from the upper edge to the lower one."""
        return list(self.rungs[:: -self.step])


def counts(values: Sequence[int]) -> LinearScale:
    """Return the scale of whole numbers."""
    return linear(0, max(values, default=0), least=1)


def seconds(values: Sequence[float]) -> LinearScale | LogarithmicScale:
    """Return the scale of durations, with ticks that are round in minutes and hours too."""
    longest = max(values, default=0.0)
    if not longest:
        return LinearScale(0, 2, 0.5)
    positive = [value for value in values if value > 0]
    if longest > _DWARFED * median(positive):
        return _logarithmic(min(positive), longest)
    unit = next(each for each in _UNITS if longest >= each or each == 1)
    return linear(0, longest, unit=unit)


def _logarithmic(shortest: float, longest: float) -> LogarithmicScale:
    """Return a scale of two to four steps, of one or more rungs each."""
    upper = min(bisect_left(_RUNGS, longest), len(_RUNGS) - 1)
    lower = max(min(bisect_right(_RUNGS, shortest) - 1, upper - 2), 0)
    step = math.ceil((upper - lower) / _MAX_STEPS)
    span = step * min(math.ceil((upper - lower) / step), (len(_RUNGS) - 1) // step)
    upper = max(upper, span)
    return LogarithmicScale(_RUNGS[upper - span : upper + 1], step)


@dataclass(frozen=True, slots=True)
class Bar:
    """What ended within a span of time; `failed` stands on top of `completed`."""

    bucket: Bucket
    x: float
    width: float
    completed_y: float
    completed_height: float
    failed_y: float
    failed_height: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """Bars for the numbers of jobs, and the numbers beside the axis, from the top."""

    bars: Sequence[Bar]
    ticks: Sequence[float]


@dataclass(frozen=True, slots=True)
class Durations:
    """Two lines for durations, as the points of polylines, and the seconds beside the axis."""

    p50: Sequence[str]
    p95: Sequence[str]
    ticks: Sequence[float]
    is_logarithmic: bool


def throughput(history: Sequence[Bucket]) -> Throughput:
    """Return the bars of the jobs that ended."""
    scale = counts([bucket.completed + bucket.failed for bucket in history])
    step = 100 / max(len(history), 1)
    return Throughput(
        [_bar(bucket, number * step, step, scale) for number, bucket in enumerate(history)],
        scale.ticks,
    )


def _bar(bucket: Bucket, start: float, step: float, scale: LinearScale) -> Bar:
    completed_y = scale.y(bucket.completed)
    failed_y = scale.y(bucket.completed + bucket.failed)
    return Bar(
        bucket,
        x=round(start + _GAP / 2 * step, 2),
        width=round(step * (1 - _GAP), 2),
        completed_y=completed_y,
        completed_height=round(100 - completed_y, 2),
        failed_y=failed_y,
        failed_height=round(completed_y - failed_y, 2),
    )


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version of the application, and where in a chart a worker first ran it."""

    version: str
    at: datetime
    x: float


def deployments(history: Sequence[Bucket], versions: Sequence[SeenVersion]) -> list[Deployment]:
    """Return the marks of the versions that were new within the time of a chart."""
    if len(history) < 2:
        return []
    start = history[0].start
    length = (history[1].start - start) * len(history)
    return [
        Deployment(version, at, round(100 * ((at - start) / length), 2))
        for version, at in versions
        if start <= at < start + length
    ]


def waits(history: Sequence[Bucket]) -> Durations:
    """Return the lines of the time from being due to the start."""
    return _durations(history, lambda bucket: (bucket.wait_p50, bucket.wait_p95))


def runs(history: Sequence[Bucket]) -> Durations:
    """Return the lines of the time from the start to the end."""
    return _durations(history, lambda bucket: (bucket.run_p50, bucket.run_p95))


def _durations(
    history: Sequence[Bucket], of: Callable[[Bucket], tuple[float | None, float | None]]
) -> Durations:
    p50, p95 = zip(*map(of, history), strict=True) if history else ((), ())
    scale = seconds([value for value in (*p50, *p95) if value is not None])
    is_logarithmic = isinstance(scale, LogarithmicScale)
    return Durations(lines(p50, scale), lines(p95, scale), scale.ticks, is_logarithmic)
