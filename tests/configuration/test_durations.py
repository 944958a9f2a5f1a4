"""Durations are read and written with their units."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modhost.durations import MAX_DURATION, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(2, 2), (0.5, 0.5), ("500ms", 0.5), ("2s", 2), ("5m", 300), ("1h", 3600), ("7d", 604800),
     ("0", 0), (" 1.5 s ", 1.5)],
)  # fmt: skip
def test_durations_are_read(written: object, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    ["", "s", "2 weeks", "-1s", -1, "1e3s", True, None, float("nan"), "9" * 30, "36501d", 1e300],
)
def test_what_is_not_a_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"duration|negative"):
        parse_duration(written)


def test_the_longest_duration_leads_from_the_present_to_a_date() -> None:
    """`retention` of 999999999 days was accepted, and no job was ever deleted."""
    longest = parse_duration("36500d")
    assert datetime.now(UTC) - 3 * longest < datetime.now(UTC) + 3 * longest


@pytest.mark.parametrize("text", ["500ms", "2s", "5m", "1h", "7d", "0", "90s"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@given(st.integers(0, MAX_DURATION // timedelta(microseconds=1)))
@example(999_999_500)
@example(1_000_500_000)
@example(1)
@example(MAX_DURATION // timedelta(microseconds=1) - 1)
def test_every_duration_is_read_as_it_was_written(microseconds: int) -> None:
    duration = timedelta(microseconds=microseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    "text", ["1500ms", "1000500ms", "0.001ms", "1.25ms", "3153599999999.999ms"]
)
def test_fractions_of_a_second_are_written_in_milliseconds(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@pytest.mark.parametrize("digits", [400, 2_000_000])
def test_a_number_beyond_all_bounds_is_too_long(digits: int) -> None:
    with pytest.raises(ValueError, match="longer than 100 years"):
        parse_duration("9" * digits)
