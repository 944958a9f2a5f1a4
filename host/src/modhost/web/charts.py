"""Charts of pages: a scale whose ticks are round, and the lines that are drawn to it.

The template `modhost/charts.html` has the frame around a drawing, `modhost/charts.js` reads it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

_ROUND: Final = (1, 2, 5, 10)
_TOLERANCE: Final = 0.0004
"""So much of a step a value may lie beyond the last tick, where nobody sees it."""
_PRECISION: Final = 1e12
_BRIDGED: Final = 2
"""How many places without a value a line goes across."""


class NoScale(Exception):
    """The values are too far apart for an axis, too close to one another, or not finite."""


class Scale(Protocol):
    """Where values lie on a drawing that is 100 high."""

    def y(self, value: float) -> float:
        """Return how far below the upper edge a value lies."""


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Equal distances for equal differences; the edges are the first and the last tick."""

    first: int
    last: int
    step: float

    def y(self, value: float) -> float:
        """Return how far below the upper edge of 100 a value lies."""
        return round(100 - 100 * (value / self.step - self.first) / (self.last - self.first), 2)

    @property
    def ticks(self) -> list[float]:
        """The values beside the axis, from the upper edge to the lower one."""
        numbers = range(self.last, self.first - 1, -1)
        return [float(f"{self.step * number:.12g}") for number in numbers]


def linear(
    low: float, high: float, *, parts: int = 4, unit: float = 1, least: float = 0
) -> LinearScale:
    """Return a scale in steps of 1, 2 or 5 times a power of ten.

    Args:
        low: the smallest value; 0 for bars.
        high: the largest value.
        parts: how many steps there are, more or less; at least 2, at most one more than this.
        unit: what the steps are round numbers of, such as 60 for minutes; 1 by default.
        least: the smallest step, in units; 1 for whole numbers.

    Raises:
        NoScale: no axis can show both values.

    """
    wanted = max(((high - low) or abs(high) or 1.0) / unit, least) / parts * 0.9999
    largest = max(abs(low), abs(high))
    if not 1e-100 < wanted < 1e100 or not largest <= _PRECISION * wanted * unit:
        raise NoScale(f"No axis can show both {low} and {high}.")
    power = 10.0 ** math.floor(math.log10(wanted))
    step = max(next(each * power for each in _ROUND if each * power >= wanted), least) * unit
    first = math.floor(low / step + _TOLERANCE)
    last = math.ceil(high / step - _TOLERANCE)
    if low and first == last:  # all values are the same: their line is in the middle
        first -= 1
    return LinearScale(first, max(last, first + 2), step)


def lines(values: Sequence[float | None], scale: Scale) -> list[str]:
    """Return the points of a polyline for each stretch of values, on a drawing 100 wide.

    A value is in the middle of its place; a line begins and ends with the places of its ends, and
    goes across two without a value.

    Args:
        values: those of equally wide places, from the left; None for none.
        scale: how high each value is.

    """
    width = 100 / max(len(values), 1)
    stretches: list[list[tuple[float, float]]] = []
    before = None
    for number, value in enumerate(values):
        if value is None:
            continue
        if before is None or number - before > _BRIDGED + 1:
            stretches.append([])
        stretches[-1].append(((number + 0.5) * width, scale.y(value)))
        before = number
    return [_points(stretch, width) for stretch in stretches]


def _points(stretch: Sequence[tuple[float, float]], width: float) -> str:
    (first_x, first_y), (last_x, last_y) = stretch[0], stretch[-1]
    whole = [(first_x - width / 2, first_y), *stretch, (last_x + width / 2, last_y)]
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in whole)
