"""Where the bars and lines of the charts go."""

from datetime import UTC, datetime, timedelta

import pytest

from modhost_background_jobs.inspection.overview import Bucket
from modhost_background_jobs.model.statistics import Histogram
from modhost_background_jobs.pages import charts
from modhost_background_jobs.storage.statistics import SeenVersion

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bucket(
    number: int = 0,
    *,
    completed: int = 0,
    failed: int = 0,
    run: tuple[float | None, float | None] = (None, None),
) -> Bucket:
    start = START + timedelta(minutes=number)
    return Bucket(start, completed, failed, None, None, *run)


def test_bars_stand_on_one_another_below_a_round_number() -> None:
    drawn = charts.throughput([bucket(completed=30, failed=14), bucket(1)])
    assert list(drawn.ticks) == [60, 40, 20, 0]
    first = drawn.bars[0]
    assert first.completed_y + first.completed_height == 100
    assert first.failed_y + first.failed_height == pytest.approx(first.completed_y)
    assert first.failed_y == pytest.approx(100 - 100 * 44 / 60, abs=0.01)


def test_the_middle_of_few_jobs_is_a_whole_number() -> None:
    assert list(charts.throughput([bucket(completed=1)]).ticks) == [2, 1, 0]


@pytest.mark.parametrize(
    ("longest", "ticks"),
    [
        (0.7, [0.8, 0.6, 0.4, 0.2, 0]),
        (5, [6, 4, 2, 0]),
        (10, [10, 5, 0]),
        (100, [120, 90, 60, 30, 0]),
        (7000, [7200, 5400, 3600, 1800, 0]),
    ],
)
def test_ticks_are_round_numbers_of_seconds_minutes_or_hours(
    longest: float, ticks: list[float]
) -> None:
    drawn = charts.runs([bucket(run=(longest, longest))])
    assert list(drawn.ticks) == pytest.approx(ticks)


def test_a_line_goes_across_two_empty_buckets_and_breaks_at_three() -> None:
    value = bucket(run=(1.0, 2.0))
    empty = bucket()
    assert len(charts.runs([value, empty, empty, value]).p50) == 1
    assert len(charts.runs([value, empty, empty, empty, value]).p50) == 2


def test_a_single_value_is_a_line_over_its_bucket() -> None:
    (points,) = charts.runs([bucket(), bucket(run=(1.0, 2.0))]).p50
    assert points == "50.00,50.00 75.00,50.00 100.00,50.00"


def test_one_long_run_does_not_flatten_the_others() -> None:
    short = [bucket(run=(0.02, 0.04)) for _ in range(9)]
    drawn = charts.runs([*short, bucket(run=(0.02, 180.0))])
    assert drawn.is_logarithmic
    assert list(drawn.ticks) == pytest.approx([600, 10, 0.1, 0.001])
    assert not charts.runs(short).is_logarithmic


def test_ticks_of_powers_are_round_and_equally_far_apart() -> None:
    scale = charts.seconds([0.02, 0.02, 0.02, 7000])
    assert scale.ticks == [36_000, 600, 10, 0.1, 0.001]
    assert [scale.y(tick) for tick in scale.ticks] == [0, 25, 50, 75, 100]
    assert scale.y(60) == pytest.approx(37.5)
    assert scale.y(0) == 100
    assert len(charts.seconds([1e-9, 1e-9, 1e-9, 1e9]).ticks) == 4


def test_new_versions_are_marked_where_they_first_ran() -> None:
    history = [bucket(number) for number in range(4)]
    versions = [
        SeenVersion("1", START - timedelta(seconds=1)),
        SeenVersion("2", START + timedelta(minutes=1)),
        SeenVersion("3", START + timedelta(minutes=4)),
    ]
    (mark,) = charts.deployments(history, versions)
    assert (mark.version, mark.x) == ("2", 25.0)
    assert charts.deployments([], versions) == []


def test_a_chart_of_nothing_has_no_line() -> None:
    assert not charts.runs([]).p50
    assert list(charts.runs([bucket()]).ticks) == [1, 0.5, 0]


def test_percentiles_lie_within_their_step() -> None:
    histogram = Histogram()
    histogram.add([1.1] * 100)
    low, high = histogram.percentile(0.05), histogram.percentile(0.95)
    assert low is not None
    assert high is not None
    assert 1.02 < low < 1.1 < high < 1.45
