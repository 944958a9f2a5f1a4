"""The last value that is allowed and the first that is not, and how they are said."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest

from modhost_background_jobs.contracts import CatchUpPolicy, InvalidCronExpression
from modhost_background_jobs.cron.catch_up import MAX_COUNTED, all_missed, catch_up
from modhost_background_jobs.cron.fields import LONGEST
from modhost_background_jobs.cron.schedule import CronSchedule

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
EVERY_MINUTE = CronSchedule.parse("* * * * *")


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_has_its_last_day_and_none_after_it(month: int) -> None:
    _, last = monthrange(NEW_YEAR.year, month)
    due = CronSchedule.parse(f"0 0 {last} {month} *").next_after(NEW_YEAR)
    assert (due.month, due.day) == (month, last)
    if last < 31:
        with pytest.raises(InvalidCronExpression, match=f"never fires.*a day {last + 1}"):
            CronSchedule.parse(f"0 0 {last + 1} {month} *")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "at 2024-01-01 00:00 UTC, 1 due time"),
        (2, "from 2024-01-01 00:00 to 2024-01-01 00:01 UTC, 2 due times"),
        (MAX_COUNTED, "from 2024-01-01 00:00 to 2024-01-01 08:19 UTC, 500 due times"),
        (MAX_COUNTED + 1, "from 2024-01-01 00:00 to 2024-01-01 08:20 UTC, 500 or more due times"),
    ],
)
def test_missed_times_are_counted_up_to_a_bound(count: int, words: str) -> None:
    now = NEW_YEAR + timedelta(minutes=count - 1)
    assert str(all_missed(EVERY_MINUTE, NEW_YEAR, now)) == words


@pytest.mark.parametrize(("late", "fires"), [(60, True), (61, False)])
def test_a_time_is_late_for_a_minute_and_missed_after_it(late: int, *, fires: bool) -> None:
    hourly = CronSchedule.parse("0 * * * *")
    now = NEW_YEAR + timedelta(seconds=late)
    assert bool(catch_up(hourly, NEW_YEAR, now, CatchUpPolicy.NONE).times) is fires


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 * FOO *", "values from 1 to 12 or JAN to DEC,"),
        ("0 0 * * FOO", "values from 0 to 7 or SUN to SAT,"),
        ("0 24 * * *", "values from 0 to 23,"),
        (f"60,{'1,' * 18}1 * * * *", f"minute '60,{'1,' * 18}1' of"),
        (f"60,{'1,' * 18}10 * * * *", f"minute '60,{'1,' * 18}1...' of"),
    ],
)
def test_what_is_refused_and_allowed_is_said(expression: str, said: str) -> None:
    with pytest.raises(InvalidCronExpression) as refused:
        CronSchedule.parse(expression)
    assert said in str(refused.value)


def test_an_expression_may_be_as_long_as_is_said() -> None:
    daily = "0 0 * * *"
    longest = daily.ljust(LONGEST)
    assert CronSchedule.parse(longest).means_the_same(CronSchedule.parse(daily))
    with pytest.raises(InvalidCronExpression, match=f"{LONGEST} are the most"):
        CronSchedule.parse(longest + " ")
