from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from modhost_background_jobs.contracts import InvalidCronExpression, UnknownTimeZone
from modhost_background_jobs.cron.schedule import CronSchedule

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def times(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The next times, as the clock on the wall shows them, with the offset."""
    moment = datetime.fromisoformat(after)
    upcoming = CronSchedule.parse(expression, zone).upcoming(moment, count)
    return [time.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for time in upcoming]


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # A fixed time that the gap skips runs at the jump.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00Z",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
        ),
        (
            "30 2 * * *",
            "America/New_York",
            "2026-03-07T12:00Z",
            ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"],
        ),
        # Clocks on Lord Howe Island go forward by half an hour.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00Z",
            ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"],
        ),
        # A fixed time that comes twice runs the first time only.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00Z",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00Z",
            ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"],
        ),
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T12:00Z",
            ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"],
        ),
        # Two fixed times in one gap are one run at the jump.
        (
            "15,45 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00Z",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:15+02:00"],
        ),
        # What follows elapsed time runs on through the overlap, and has no gap.
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:15Z",
            [
                "2026-10-25T02:30+02:00",
                "2026-10-25T02:00+01:00",
                "2026-10-25T02:30+01:00",
                "2026-10-25T03:00+01:00",
            ],
        ),
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:15Z",
            ["2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"],
        ),
        (
            "0 * * * *",
            "America/New_York",
            "2026-11-01T04:30Z",
            ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00-05:00"],
        ),
        # A half-hour zone without summer time.
        ("0 9 * * *", "Asia/Kolkata", "2026-01-01T00:00Z", ["2026-01-01T09:00+05:30"]),
        # Samoa had no 30 December 2011.
        (
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-30T00:00Z",
            ["2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"],
        ),
    ],
)
def test_schedules_on_days_when_clocks_change(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    assert times(expression, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 13 * 5", ["2026-01-02", "2026-01-09", "2026-01-13", "2026-01-16"]),
        ("@weekly", ["2026-01-04", "2026-01-11"]),
        ("@YEARLY", ["2027-01-01"]),
        (" 0\t0  1 */6 * ", ["2026-07-01", "2027-01-01"]),
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29"]),
        ("0 0 * * SAT-SUN", ["2026-01-03", "2026-01-04", "2026-01-10"]),
        ("0 0 * jan 0,7", ["2026-01-04", "2026-01-11"]),
        ("0 0 1-5/2 * *", ["2026-01-03", "2026-01-05", "2026-02-01"]),
        # Both day fields bind when one begins with a star, whatever its step.
        ("0 9 */1 * MON", ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]),
        ("0 9 */2 * MON", ["2026-01-05", "2026-01-19", "2026-02-09"]),
        ("0 9 13 * */5", ["2026-02-13", "2026-03-13", "2026-09-13", "2026-11-13"]),
        ("0 9 1,*/10 * MON", ["2026-01-01", "2026-01-05", "2026-01-11"]),
        ("0 9 1-31 * MON", ["2026-01-01", "2026-01-02"]),
        ("0 0 29 2 */6", ["2032-02-29"]),
    ],
)
def test_expressions_mean_what_cron_means(expression: str, expected: list[str]) -> None:
    upcoming = CronSchedule.parse(expression).upcoming(NEW_YEAR, len(expected))
    assert [time.date().isoformat() for time in upcoming] == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("0 0 31 2 *", "never fires"),
        ("0 0 31 4,6 *", "never fires"),
        ("1--100000000", "has 1 fields instead of five"),
        ("1--100000000 * * * *", "cannot be read"),
        ("0-100000000 * * * *", "cannot be read"),
        ("* * * * * *", "has 6 fields instead of five"),
        ("* * * *", "has 4 fields instead of five"),
        ("60 * * * *", "60 is out of range"),
        ("* 24 * * *", "24 is out of range"),
        ("* * 0 * *", "0 is out of range"),
        ("* * * 13 *", "13 is out of range"),
        ("* * * * 8", "8 is out of range"),
        ("*/0 * * * *", "step of '\\*/0' is 0"),
        ("*/90 * * * *", "step of '\\*/90' goes beyond its range"),
        ("*/60 * * * *", "step of '\\*/60' goes beyond its range"),
        ("*/100000000 * * * *", "goes beyond its range"),
        ("0 */24 * * *", "goes beyond its range"),
        ("0 0 */31 * *", "goes beyond its range"),
        ("0 0 * */12 *", "goes beyond its range"),
        ("0 0 * * */7", "goes beyond its range"),
        ("0-10/30 * * * *", "goes beyond its range"),
        ("50/15 * * * *", "goes beyond its range"),
        ("0 0 31 2 */2", "never fires"),
        ("30-10 * * * *", "ends before it begins"),
        ("* * L * *", "'L' cannot be read"),
        ("* * * * 5#2", "cannot be read"),
        ("? * * * *", "cannot be read"),
        ("R * * * *", "'R' cannot be read"),
        ("@reboot", "macro '@reboot' is unknown"),
        ("x" * 10_000, "has 10000 characters"),
        ("\u0661 * * * *", "cannot be read"),
    ],
)
def test_a_bad_expression_is_refused_with_the_reason(expression: str, message: str) -> None:
    with pytest.raises(InvalidCronExpression, match=message) as refused:
        CronSchedule.parse(expression)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "zone",
    [
        *("", " ", "Mars/Olympus", "../../etc/passwd", "\x00", "\ud800", "A" * 5000),
        *("localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/UTC"),
    ],
)
def test_a_zone_that_is_none_everywhere_is_refused(zone: str) -> None:
    with pytest.raises(UnknownTimeZone, match="IANA"):
        CronSchedule.parse("@daily", zone)


def field(least: int, most: int) -> st.SearchStrategy[str]:
    value = st.integers(least, most)
    span = st.tuples(value, value).map(sorted)
    steps = span.filter(lambda pair: pair[1] - pair[0] > 1).flatmap(
        lambda pair: st.integers(1, pair[1] - pair[0]).map(
            lambda step: f"{pair[0]}-{pair[1]}/{step}"
        )
    )
    return st.one_of(
        st.just("*"),
        value.map(str),
        span.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.integers(1, most - least).map("*/{}".format),
        steps,
        st.lists(value.map(str), min_size=1, max_size=4, unique=True).map(",".join),
    )


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(
    " ".join
)


@given(EXPRESSIONS, st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001
def test_another_cron_library_agrees(expression: str, start: datetime) -> None:
    after = start.replace(tzinfo=UTC)
    others = CronSim(expression, after)
    assert CronSchedule.parse(expression).upcoming(after, 5) == [next(others) for _ in range(5)]


@given(EXPRESSIONS, st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
def test_another_cron_library_agrees_in_zones_while_clocks_stand(
    expression: str, zone: str
) -> None:
    # Months without a change of clocks in any of the zones.
    after = datetime(2026, 6, 1, tzinfo=UTC)
    others = CronSim(expression, after.astimezone(ZoneInfo(zone)))
    due = CronSchedule.parse(expression, zone).upcoming(after, 3)
    expected = [next(others).astimezone(UTC) for _ in range(3)]
    until = after + timedelta(days=90)
    assert [time for time in due if time < until] == [time for time in expected if time < until]
