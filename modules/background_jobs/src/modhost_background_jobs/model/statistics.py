"""Counts of finished jobs and histograms of durations: small, and easily merged."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from typing import Final, NamedTuple

from modhost_background_jobs.contracts import JobState

# Two steps for each doubling: a percentile is off by at most a fifth.
_STEPS = 2

# Where each step after the first begins, in milliseconds; the last one after centuries.
_BEGINNINGS: Final = [2 ** (step / _STEPS) for step in range(90)]


class Histogram:
    """Counts durations, and estimates percentiles of them."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    def add(self, seconds: Iterable[float]) -> None:
        """Count durations."""
        milliseconds = [1000 * each for each in seconds]
        self.counts.update(map(bisect_right, repeat(_BEGINNINGS), milliseconds))

    def merge(self, other: Mapping[int, int]) -> None:
        """Add what another histogram counted."""
        self.counts.update(other)

    def percentile(self, part: float) -> float | None:
        """Return the duration in seconds that a part (0 to 1) stays under; None without any."""
        wanted = part * self.counts.total()
        seen = 0
        for step in sorted(self.counts):
            count = self.counts[step]
            if seen + count >= wanted:
                return _within(step, (wanted - seen) / count)
            seen += count
        return None


@dataclass(slots=True)
class MinuteCounts:
    """Jobs that finished within a minute; waits run from the due time to the start."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    waits: Histogram = field(default_factory=Histogram)
    runs: Histogram = field(default_factory=Histogram)

    def count(self, state: JobState, waited: Collection[float], ran: Collection[float]) -> None:
        """Count the ends of jobs in a state, by how many seconds each has waited and run."""
        if state is JobState.COMPLETED:
            self.completed += len(ran)
        elif state is JobState.FAILED:
            self.failed += len(ran)
        else:
            self.cancelled += len(ran)
        self.waits.add(waited)
        self.runs.add(ran)

    @property
    def total(self) -> int:
        """How many jobs finished."""
        return self.completed + self.failed + self.cancelled

    def merge(self, other: "MinuteCounts") -> None:
        """Add the counts of others."""
        self.completed += other.completed
        self.failed += other.failed
        self.cancelled += other.cancelled
        self.waits.merge(other.waits.counts)
        self.runs.merge(other.runs.counts)


class TypeKey(NamedTuple):
    """What finished jobs are counted by: their type and queue, and the application's version."""

    job_type: str
    queue: str
    app_version: str


class TypeCounts(NamedTuple):
    """What finished of a key within a span of time that begins at `start`."""

    start: datetime
    key: TypeKey
    counts: MinuteCounts


def _within(step: int, part: float) -> float:
    """Return where a part of a step lies, as if its durations were spread evenly."""
    milliseconds = part if step == 0 else 2 ** ((step - 1 + part) / _STEPS)
    return float(milliseconds) / 1000
