"""What expressions mean: in words, to one another, and once they are stored."""

from datetime import UTC, datetime

import pytest

from modhost_background_jobs.cron.schedule import CronSchedule

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 0 1 * *", "at 00:00 on day 1 of the month"),
        ("* * * * *", "every minute"),
        ("*/1 */1 * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0,15,30,45 * * * *", "every 15 minutes"),
        ("*/45 * * * *", "at minutes 0 and 45 of every hour"),
        ("5/15 * * * *", "at minutes 5, 20, 35 and 50 of every hour"),
        ("0-30 * * * *", "every minute from 0 to 30 of every hour"),
        ("0 * * * *", "every hour"),
        ("20 * * * *", "every hour at minute 20"),
        ("0 */6 * * *", "every 6 hours"),
        ("30 */2 * * *", "every 2 hours at minute 30"),
        ("0 */12 * * *", "at 00:00 and 12:00 every day"),
        ("0 */5 * * *", "at 00:00, 05:00, 10:00, 15:00 and 20:00 every day"),
        ("*/10 */2 * * *", "every 10 minutes of every 2nd hour"),
        ("* 9 * * *", "every minute from 09:00 to 09:59"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:45 on Monday to Friday"),
        ("30 9-17 * * *", "every hour from 09:30 to 17:30"),
        ("* 1,2,5 * * *", "every minute of the hours 1, 2 and 5"),
        ("30 1,3,5,7,9,11,13 * * *", "at minute 30 of the hours 1, 3, 5, 7, 9, 11 and 13"),
        ("0 0 * * *", "at 00:00 every day"),
        ("0 0 */2 * *", "at 00:00 on every 2nd day of the month from day 1 to 31"),
        ("0 0 1-7 * *", "at 00:00 on days 1 to 7 of the month"),
        ("30 6 * * 1", "at 06:30 on Monday"),
        ("0 0 * * SAT-SUN", "at 00:00 on Saturday and Sunday"),
        ("0 0 13 * 5", "at 00:00 on day 13 of the month or on Friday"),
        ("0 9 */1 * MON", "at 09:00 on Monday"),
        ("0 9 */10 * MON", "at 09:00 on Monday when it is day 1, 11, 21 or 31 of the month"),
        ("0 9 1-31 * MON", "at 09:00 every day"),
        ("0 12 * 6,7 *", "at 12:00 every day in June and July"),
        ("0 12 1 6-8 *", "at 12:00 on day 1 of the month from June to August"),
    ],
)
def test_a_schedule_is_reported_in_words(expression: str, words: str) -> None:
    assert CronSchedule.parse(expression).describe() == words


@pytest.mark.parametrize(
    ("expression", "as_before"),
    [
        ("*/90 * * * *", "0 * * * *"),
        ("0 0 */31 * *", "0 0 1 * *"),
        ("0-10/30 * * * *", "0 * * * *"),
        # It needed one of the day fields only, since the other never comes.
        ("0 0 31 2 */2", "0 0 31 2 0,2,4,6"),
    ],
)
def test_what_is_stored_and_refused_today_continues_as_it_did(
    expression: str, as_before: str
) -> None:
    stored = CronSchedule.stored(expression, "UTC").upcoming(NEW_YEAR, 5)
    assert stored == CronSchedule.parse(as_before).upcoming(NEW_YEAR, 5)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("@monthly", "0 0 1 * *", True),
        ("0 0 * * 0", "0  0 * * SUN", True),
        ("*/20 * * * *", "*/20 * * * *", True),
        # The clock of a zone that changes distinguishes them.
        ("*/20 * * * *", "0,20,40 * * * *", False),
        ("0 0 1 * *", "0 0 2 * *", False),
        ("0 0 1-31 * MON", "0 0 * * MON", False),
    ],
)
def test_expressions_that_mean_the_same_are_known(one: str, other: str, *, is_same: bool) -> None:
    schedule = CronSchedule.parse(one)
    assert schedule.means_the_same(CronSchedule.parse(other)) is is_same
    assert not schedule.means_the_same(CronSchedule.parse(one, "Europe/Berlin"))
