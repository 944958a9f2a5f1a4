"""Charts, drawn on the server: where each bar and line goes on a canvas of 100 by 100."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modhost_background_jobs.services.overview import Bucket

_GAP = 0.2


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
    """Bars for the numbers of jobs, and the number at the top edge."""

    bars: Sequence[Bar]
    most: int


@dataclass(frozen=True, slots=True)
class Durations:
    """Two lines for durations, as the points of polylines, and the seconds at the top edge."""

    p50: Sequence[str]
    p95: Sequence[str]
    most: float


def throughput(history: Sequence[Bucket]) -> Throughput:
    """Return the bars of the jobs that ended."""
    most = max((bucket.completed + bucket.failed for bucket in history), default=0)
    step = 100 / max(len(history), 1)
    bars = []
    for number, bucket in enumerate(history):
        completed = 100 * bucket.completed / max(most, 1)
        failed = 100 * bucket.failed / max(most, 1)
        bars.append(
            Bar(
                bucket,
                x=round((number + _GAP / 2) * step, 2),
                width=round(step * (1 - _GAP), 2),
                completed_y=round(100 - completed, 2),
                completed_height=round(completed, 2),
                failed_y=round(100 - completed - failed, 2),
                failed_height=round(failed, 2),
            )
        )
    return Throughput(bars, most)


def waits(history: Sequence[Bucket]) -> Durations:
    """Return the lines of the time from being due to the start."""
    return _durations(history, lambda bucket: (bucket.wait_p50, bucket.wait_p95))


def runs(history: Sequence[Bucket]) -> Durations:
    """Return the lines of the time from the start to the end."""
    return _durations(history, lambda bucket: (bucket.run_p50, bucket.run_p95))


def _durations(
    history: Sequence[Bucket], of: Callable[[Bucket], tuple[float | None, float | None]]
) -> Durations:
    halves, most_of_them = zip(*map(of, history), strict=True) if history else ((), ())
    most = max((value for value in (*halves, *most_of_them) if value is not None), default=0.0)
    return Durations(_lines(halves, most), _lines(most_of_them, most), most)


def _lines(values: Sequence[float | None], most: float) -> list[str]:
    """Return a polyline for each stretch of values; where nothing ended, the line breaks."""
    step = 100 / max(len(values), 1)
    lines: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            lines.append([])
            continue
        y = 98 - 96 * value / most if most else 98
        # A stretch of one value is still a line, over its span.
        lines[-1].append(f"{number * step:.2f},{y:.2f} {(number + 1) * step:.2f},{y:.2f}")
    return [" ".join(points) for points in lines if points]
