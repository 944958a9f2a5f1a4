"""What expressions mean: to one another, and once they are stored."""

from datetime import UTC, datetime

import pytest

from modhost_background_jobs.cron.schedule import CronSchedule

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


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
