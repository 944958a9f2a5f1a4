"""A cron schedule in words."""

from modhost_background_jobs.cron.fields import Field

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def in_words(fields: tuple[Field, ...]) -> str:
    """Return the five fields as a phrase, e.g. `at 00:00 on day 1 of the month`."""
    minute, hour, day, month, weekday = fields
    words = [_time(minute, hour)]
    days = _days(day, weekday)
    if days:
        words.append(days)
    if not month.is_any:
        words.append("in " + _listed([_MONTHS[value - 1] for value in month.values]))
    return " ".join(words)


def _time(minute: Field, hour: Field) -> str:
    if minute.is_any and hour.is_any:
        return "every minute"
    if not hour.is_wild and not minute.is_wild and len(hour.values) * len(minute.values) <= 6:
        times = [f"{h:02d}:{m:02d}" for h in hour.values for m in minute.values]
        return "at " + _listed(times)
    return f"{_minutes(minute)} {_hours(hour)}".strip()


def _minutes(minute: Field) -> str:
    if minute.is_any:
        return "every minute"
    if minute.text.startswith("*/"):
        return f"every {minute.text[2:]} minutes"
    if len(minute.values) == 1:
        return f"at minute {minute.values[0]}"
    return "at minutes " + _listed([str(value) for value in minute.values])


def _hours(hour: Field) -> str:
    if hour.is_any:
        return "of every hour"
    if hour.text.startswith("*/"):
        return f"of every {hour.text[2:]} hours"
    if len(hour.values) == 1:
        return f"of hour {hour.values[0]}"
    return "of hours " + _listed([str(value) for value in hour.values])


def _days(day: Field, weekday: Field) -> str:
    by_day = "" if day.is_any else _days_of_month(day)
    by_weekday = "" if weekday.is_any else "on " + _weekdays(weekday.values)
    # Both set means either, as in standard cron.
    return " or ".join(filter(None, (by_day, by_weekday)))


def _weekdays(values: tuple[int, ...]) -> str:
    names = [_WEEKDAYS[value] for value in values]
    is_range = len(values) > 2 and values[-1] - values[0] == len(values) - 1
    return f"{names[0]} to {names[-1]}" if is_range else _listed(names)


def _days_of_month(day: Field) -> str:
    if day.text.startswith("*/"):
        return f"every {day.text[2:]} days of the month"
    plural = "s" if len(day.values) > 1 else ""
    return f"on day{plural} {_listed([str(value) for value in day.values])} of the month"


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
