"""Scales and lines of charts, which modules draw with."""

import math
from itertools import pairwise

import pytest

from modhost.web.charts import LinearScale, NoScale, linear, lines


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 44, [60, 40, 20, 0]),
        (-3.3, 28, [30, 20, 10, 0, -10]),
        (-28, -3.3, [0, -10, -20, -30]),
        (7.2, 17.4, [20, 15, 10, 5]),
        (5, 5, [8, 6, 4]),
        (4, 4, [5, 4, 3]),
        (-4, -4, [-3, -4, -5]),
        (0, 0, [1, 0.5, 0]),
        (-0.3, 0.1, [0.1, 0, -0.1, -0.2, -0.3]),
        (1e9, 1e9 + 4, [1e9 + 4, 1e9 + 3, 1e9 + 2, 1e9 + 1, 1e9]),
    ],
)
def test_ticks_are_steps_of_1_2_or_5_from_edge_to_edge(
    low: float, high: float, ticks: list[float]
) -> None:
    scale = linear(low, high)
    assert scale.ticks == ticks
    assert (scale.y(ticks[0]), scale.y(ticks[-1])) == (0, 100)
    distances = {round(upper - lower, 9) for upper, lower in pairwise(ticks)}
    assert len(distances) == 1
    assert 0 <= scale.y(high) <= scale.y(low) <= 100


def test_steps_are_round_in_their_unit_and_not_below_the_least() -> None:
    assert linear(0, 7000, unit=3600).ticks == [7200, 5400, 3600, 1800, 0]
    assert linear(0, 1, least=1).ticks == [2, 1, 0]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-1e120, 1e120),
        (0, 5e-324),
        (1e16, 1e16 + 2),
        (-1e16 - 2, -1e16),
        (0, math.inf),
        (-math.inf, math.inf),
        (math.nan, math.nan),
    ],
)
def test_values_that_no_axis_can_show_have_no_scale(low: float, high: float) -> None:
    with pytest.raises(NoScale):
        linear(low, high)


def test_a_line_breaks_where_three_places_have_no_value() -> None:
    scale = LinearScale(0, 2, 1)
    assert lines([1, None, None, 2], scale) == ["0.00,50.00 12.50,50.00 87.50,0.00 100.00,0.00"]
    assert len(lines([1, None, None, None, 2], scale)) == 2
    assert lines([None], scale) == lines([], scale) == []
