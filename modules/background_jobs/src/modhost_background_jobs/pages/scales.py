"""Scales of charts: up to a round number, or by powers where one value dwarfs the rest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

_ROUND: Final = (1, 2, 4, 5, 10)
_DWARFED: Final = 20
"""How many times the middle value the largest may be before the rest would lie on the ground."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values lie between the edges, 0 being the upper one."""

    bottom: float
    top: float
    is_logarithmic: bool = False

    def y(self, value: float) -> float:
        """Return how far below the upper edge of 100 a value lies."""
        if not self.is_logarithmic:
            return round(100 - 100 * value / self.top, 2)
        inside = min(max(value, self.bottom), self.top)
        return round(
            100 - 100 * math.log(inside / self.bottom) / math.log(self.top / self.bottom), 2
        )

    @property
    def ticks(self) -> tuple[float, float, float]:
        """The values at the upper edge, in the middle and at the lower edge."""
        if self.is_logarithmic:
            return self.top, math.sqrt(self.top * self.bottom), self.bottom
        return self.top, self.top / 2, 0


def counts(values: Sequence[int]) -> Scale:
    """Return the scale of whole numbers, whose half is one too."""
    return Scale(0, max(2, _rounded_up(max(values, default=0))))


def seconds(values: Sequence[float]) -> Scale:
    """Return the scale of durations."""
    longest = max(values, default=0.0)
    if not longest:
        return Scale(0, 1)
    positive = [value for value in values if value > 0]
    if longest > _DWARFED * median(positive):
        top = 10.0 ** math.ceil(math.log10(longest))
        bottom = min(10.0 ** math.floor(math.log10(min(positive))), top / 100)
        return Scale(bottom, top, is_logarithmic=True)
    return Scale(0, _rounded_up(longest))


def _rounded_up(value: float) -> float:
    if value <= 0:
        return 0
    power = 10.0 ** math.floor(math.log10(value))
    return next(each * power for each in _ROUND if each * power >= value * 0.9999)
