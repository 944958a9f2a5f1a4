"""Durations counted by their order of magnitude: small, mergeable, good enough for percentiles."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from typing import Final

# Two steps for each doubling: a percentile is off by a fifth at the most.
_STEPS = 2

# Where each step after the first begins, in milliseconds; the last one after centuries.
_BEGINNINGS: Final = [2 ** (step / _STEPS) for step in range(90)]


class Histogram:
    """Counts durations, and estimates percentiles of them."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[_step_of(seconds)] += 1

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


def _step_of(seconds: float) -> int:
    return bisect_right(_BEGINNINGS, seconds * 1000)


def _within(step: int, part: float) -> float:
    """Return where a part of a step lies, as if its durations were spread evenly."""
    milliseconds = part if step == 0 else 2 ** ((step - 1 + part) / _STEPS)
    return float(milliseconds) / 1000
