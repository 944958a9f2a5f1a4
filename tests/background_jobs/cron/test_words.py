"""What schedules are called: in words, as a person says them, made of their values."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modhost_background_jobs.cron.fields import binds_both_days
from modhost_background_jobs.cron.schedule import CronSchedule


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 0 1 * *", "At 00:00 on the 1st of the month"),
        ("* * * * *", "Every minute"),
        ("*/1 */1 * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("0,15,30,45 * * * *", "Every 15 minutes"),
        ("*/45 * * * *", "At minutes 0 and 45 of every hour"),
        ("5/15 * * * *", "At minutes 5, 20, 35 and 50 of every hour"),
        ("0-30 * * * *", "Every minute from minute 0 to 30 of every hour"),
        ("3/5 * * * *", "Every 5 minutes from minute 3 to 58 of every hour"),
        ("0 * * * *", "Every hour"),
        ("20 * * * *", "Every hour at minute 20"),
        ("0 */6 * * *", "Every 6 hours"),
        ("30 */2 * * *", "Every 2 hours at minute 30"),
        ("0 */12 * * *", "At 00:00 and 12:00 every day"),
        ("0 */5 * * *", "Every 5 hours, 00:00\N{EN DASH}20:00"),
        ("*/10 */2 * * *", "Every 10 minutes of every 2nd hour"),
        ("* 9 * * *", "Every minute, 09:00\N{EN DASH}09:59"),
        ("*/15 9 * * *", "Every 15 minutes, 09:00\N{EN DASH}09:59"),
        ("*/30 9 * * *", "At 09:00 and 09:30 every day"),
        ("*/30 9-11 * * *", "Every 30 minutes, 09:00\N{EN DASH}11:59"),
        ("*/15 8-18 * * 1-5", "Every 15 minutes, 08:00\N{EN DASH}18:59, Monday to Friday"),
        (
            "0,15,30,45 8-18 * * MON-FRI",
            "Every 15 minutes, 08:00\N{EN DASH}18:59, Monday to Friday",
        ),
        ("30 9-17 * * *", "Every hour, 09:30\N{EN DASH}17:30"),
        ("0 8-12,14-18 * * *", "Every hour, 08:00\N{EN DASH}12:00 and 14:00\N{EN DASH}18:00"),
        ("* 1,2,5 * * *", "Every minute, 01:00\N{EN DASH}02:59 and 05:00\N{EN DASH}05:59"),
        ("30 1,3,5,7,9,11,13 * * *", "Every 2 hours, 01:30\N{EN DASH}13:30"),
        ("*/15 22,23,0-5 * * *", "Every 15 minutes, 22:00\N{EN DASH}05:59"),
        (
            "*/15 22,23,0-5 * * 1",
            "Every 15 minutes, 00:00\N{EN DASH}05:59 and 22:00\N{EN DASH}23:59, on Mondays",
        ),
        ("0 0 * * *", "At 00:00 every day"),
        ("0 0 */2 * *", "At 00:00 on every 2nd day from the 1st to the 31st of the month"),
        ("0 0 1-7 * *", "At 00:00 on the 1st to 7th of the month"),
        ("30 6 * * 1", "At 06:30 on Mondays"),
        ("0 0 * * SAT-SUN", "At 00:00 on Saturdays and Sundays"),
        ("0 0 13 * 5", "At 00:00 on the 13th of the month or on Fridays"),
        ("0 0 13 1 5", "At 00:00 on the 13th of the month or on Fridays, in January"),
        ("0 9 */1 * MON", "At 09:00 on Mondays"),
        ("0 9 */10 * MON", "At 09:00 on Mondays if it is the 1st, 11th, 21st or 31st of the month"),
        ("0 9 1-31 * MON", "At 09:00 every day"),
        ("0 12 * 6,7 *", "At 12:00 every day in June and July"),
        ("0 12 1 6-8 *", "At 12:00 on the 1st of the month, June to August"),
        ("0 0 1 1 *", "At 00:00 on 1 January"),
        ("0 0 24,31 12 *", "At 00:00 on 24 and 31 December"),
        ("0 0 1 1,4,7,10 *", "At 00:00 on the 1st of January, April, July and October"),
        ("0 9 1-7 * */6", "At 09:00 on the first Saturday and the first Sunday of the month"),
        ("0 9 8-14 * */4", "At 09:00 on the second Thursday and the second Sunday of the month"),
        ("0 9 * * FRI,SAT,SUN,MON", "At 09:00, Friday to Monday"),
        ("0 9 * * MON-SAT", "At 09:00, Monday to Saturday"),
        ("0 0 * 11,12,1,2 *", "At 00:00 every day, November to February"),
        ("0 0 29 2 *", "At 00:00 on 29 February"),
        ("5,50 8-18 * * *", "At minutes 5 and 50, 08:00\N{EN DASH}18:59"),
        ("5,50 * * * *", "At minutes 5 and 50 of every hour"),
        (
            "0 1,2,3,7,8,12,15,20 * * *",
            "At minute 0 of the hours 1\N{EN DASH}3, 7, 8, 12, 15 and 20",
        ),
        (
            "*/7 3,9,12,15,20 * * *",
            "Every 7 minutes from minute 0 to 56 of the hours 3, 9, 12, 15 and 20",
        ),
        ("0 0 1-5,10,20 * *", "At 00:00 on the 1st to 5th, 10th and 20th of the month"),
        ("0 9 15 * 1-5", "At 09:00 on the 15th of the month or Monday to Friday"),
        ("0 17 * * 1-5", "At 17:00, Monday to Friday"),
        ("0 9 * 6-8 1-5", "At 09:00, Monday to Friday, June to August"),
        ("*/5 * * 6 *", "Every 5 minutes in June"),
        ("0 * * * 0,6", "Every hour on Saturdays and Sundays"),
        ("59 23 31 12 *", "At 23:59 on 31 December"),
        ("0 0 10,20,30 * *", "At 00:00 on the 10th, 20th and 30th of the month"),
        ("0 10-22/2 * * *", "Every 2 hours, 10:00\N{EN DASH}22:00"),
        ("0 0 1-31/2 6 *", "At 00:00 on every 2nd day from the 1st to the 31st of June"),
        ("0 9 * 1,2,3,4,5,6,7,8,9,10,11,12 *", "At 09:00 every day"),
        ("*/2 * * * *", "Every 2 minutes"),
        ("1-59/2 * * * *", "Every 2 minutes from minute 1 to 59 of every hour"),
    ],
)
def test_a_schedule_is_said_in_words(expression: str, words: str) -> None:
    assert CronSchedule.parse(expression).describe() == words


MINUTES = [
    "*",
    "0",
    "*/1",
    "*/15",
    "0,15,30,45",
    "7",
    "0,30",
    "5/15",
    "*/7",
    "3/5",
    "0-30",
    "1,2,9",
]
HOURS = [
    "*",
    "0",
    "*/6",
    "*/5",
    "8-18",
    "8,9,10",
    "9,17",
    "1/2",
    "22,23,0-5",
    "8-12,14-18",
    "1,4,9",
]
DAYS = ["*", "*/1", "1", "1,15", "1-7", "*/2", "*/10", "1,11,21,31", "1-31", "15-21", "2-30/4"]
MONTHS = ["*", "1", "6,7", "6-8", "*/3", "1,4,7,10", "11,12,1,2", "1-12"]
WEEKDAYS = ["*", "1-5", "MON-FRI", "0,6", "SAT-SUN", "FRI,SAT,SUN,MON", "5", "*/2", "0-6", "*/4"]


def meaning(schedule: CronSchedule) -> tuple[object, ...]:
    """Which local times match; not how the expression is written."""
    values = [each.values for each in schedule.fields]
    _, _, day, _, weekday = schedule.fields
    if day.is_any and weekday.is_any:
        return tuple(values)
    if binds_both_days(schedule.fields):
        return (*values, "both")
    if day.is_any or weekday.is_any:
        values[2], values[4] = tuple(range(1, 32)), tuple(range(7))
        return tuple(values)
    return (*values, "either")


def test_the_words_say_what_is_meant_and_nothing_else() -> None:
    """Schedules of one meaning have the same words, and those of another meaning others."""
    times, days = (
        product(MINUTES, HOURS, ["*"], ["*"], ["*"]),
        product(["0"], ["9", "*"], DAYS, MONTHS, WEEKDAYS),
    )
    words: dict[object, set[str]] = {}
    meanings: dict[str, set[object]] = {}
    for fields in (*times, *days):
        schedule = CronSchedule.parse(" ".join(fields))
        words.setdefault(meaning(schedule), set()).add(schedule.describe())
        meanings.setdefault(schedule.describe(), set()).add(meaning(schedule))
    assert [each for each in words.values() if len(each) > 1] == []
    assert [each for each, found in meanings.items() if len(found) > 1] == []


def values(least: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(least, most), min_size=1, unique=True)


@given(st.tuples(values(0, 59), values(0, 23), values(1, 12), values(0, 6)))
def test_the_order_and_the_spelling_of_values_do_not_matter(lists: tuple[list[int], ...]) -> None:
    written, ordered = (
        "{} {} * {} {}".format(*(",".join(map(str, each)) for each in some))
        for some in (lists, [sorted(each) for each in lists])
    )
    words = CronSchedule.parse(written).describe()
    assert words == CronSchedule.parse(ordered).describe()
    assert len(words) < 500
