"""A histogram of plain numbers, cheap enough for code that runs thousands of times a second."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import repeat
from typing import Final

SECONDS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
"""From milliseconds to an hour."""


class Histogram:
    """Counts values by the first bound that they do not exceed.

    Args:
        bounds: the upper bounds in ascending order; what exceeds all of them is counted too.

    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = tuple(map(float, bounds))
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        """The sum of all values."""

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def observe_all(self, values: Collection[float]) -> None:
        """Count many values, each in a fraction of the time."""
        for bound, count in Counter(map(bisect_left, repeat(self.bounds), values)).items():
            self.counts[bound] += count
        self.total += sum(values)

    def merged(self, other: "Histogram") -> "Histogram":
        """Return one with the counts of both. Raises `ValueError` if their bounds differ."""
        if self.bounds != other.bounds:
            raise ValueError("Histograms of one metric have the same bounds.")
        both = Histogram(self.bounds)
        both.counts = [sum(each) for each in zip(self.counts, other.counts, strict=True)]
        both.total = self.total + other.total
        return both

    def cumulative(self) -> list[tuple[str, int]]:
        """Return how many values do not exceed each bound, the last one `+Inf`."""
        found, seen = [], 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            found.append(("+Inf" if bound == float("inf") else f"{bound}", seen))
        return found
