"""A cron schedule in words, made of its values as a person says them."""

from collections.abc import Sequence
from typing import Final

from modhost_background_jobs.cron.fields import Field, binds_both_days

MAX_TIMES: Final = 6
MIN_SPACED: Final = 4
"""How many values it takes to say how far apart they are rather than to list them."""
MIN_SPAN: Final = 3
_ORDINALS: Final = {2: "2nd", 3: "3rd"} | {n: f"{n}th" for n in range(4, 31)}

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_WEEKDAYS: Final = (
    *("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
)


def in_words(fields: tuple[Field, ...]) -> str:
    """Return the five fields as a phrase, e.g. `at 00:00 on day 1 of the month`."""
    minute, hour, _, month, _ = fields
    times, is_daily = _times(minute, hour)
    days = _days(fields) or ("every day" if is_daily else "")
    return " ".join(filter(None, (times, days, _months(month))))


def _times(minute: Field, hour: Field) -> tuple[str, bool]:
    """Return the times of a day, and whether it takes a word to say that every day has them."""
    minutes, hours = minute.values, hour.values
    is_single = len(minutes) == 1
    hour_step = _step(hours, 24, MIN_SPACED)
    if is_single and hour_step:
        words = _every(hour_step, "hour")
        return words if minutes == (0,) else f"{words} at minute {minutes[0]}", False
    if len(hours) * len(minutes) <= MAX_TIMES:
        return "at " + _listed([_clock(h, m) for h in hours for m in minutes]), True
    minute_step = _step(minutes, 60, 2)
    if (is_single or minute_step) and not hour.is_any and _is_span(hours, 1):
        words = "every hour" if minute_step is None else _every(minute_step, "minute")
        first, last = _clock(hours[0], minutes[0]), _clock(hours[-1], minutes[-1])
        return f"{words} from {first} to {last}", False
    if minute_step:
        words = _every(minute_step, "minute")
        return words if hour.is_any else f"{words} {_of_hours(hours)}", False
    if is_single:
        words = f"at minute {minutes[0]}"
    elif _is_span(minutes):
        words = f"every minute from {minutes[0]} to {minutes[-1]}"
    else:
        words = f"at minutes {_listed(_numbers(minutes))}"
    return f"{words} {'of every hour' if hour.is_any else _of_hours(hours)}", False


def _of_hours(hours: Sequence[int]) -> str:
    if step := _step(hours, 24, MIN_SPACED):
        return f"of every {_ORDINALS[step]} hour"
    if _is_span(hours):
        return f"of the hours {hours[0]} to {hours[-1]}"
    return f"of the hour{'s'[: len(hours) - 1]} {_listed(_numbers(hours))}"


def _days(fields: tuple[Field, ...]) -> str:
    _, _, day, _, weekday = fields
    days = "" if day.is_any else _days_of_month(day.values)
    weekdays = "" if weekday.is_any else _weekdays(weekday.values)
    if binds_both_days(fields):
        if days and weekdays:
            return f"{weekdays} when it is {days.replace('days', 'day').replace(' and ', ' or ')}"
        return f"on {days}" if days else weekdays
    # Either is enough: if one of them has all days, every day is.
    return f"on {days} or {weekdays}" if days and weekdays else ""


def _weekdays(values: Sequence[int]) -> str:
    # A week begins on Monday, so that Saturday and Sunday are neighbours.
    order = sorted((value - 1) % 7 for value in values)
    names = [_WEEKDAYS[(value + 1) % 7] for value in order]
    return f"on {names[0]} to {names[-1]}" if _is_span(order) else f"on {_listed(names)}"


def _days_of_month(values: Sequence[int]) -> str:
    first, last = values[0], values[-1]
    if len(values) == 1:
        return f"day {first} of the month"
    if _is_span(values):
        return f"days {first} to {last} of the month"
    step = values[1] - first
    if len(values) > MAX_TIMES and tuple(values) == tuple(range(first, last + 1, step)):
        return f"every {_ORDINALS[step]} day of the month from day {first} to {last}"
    return f"days {_listed(_numbers(values))} of the month"


def _months(month: Field) -> str:
    if month.is_any:
        return ""
    names = [_MONTHS[value - 1] for value in month.values]
    if _is_span(month.values):
        return f"from {names[0]} to {names[-1]}"
    return "in " + _listed(names)


def _step(values: Sequence[int], whole: int, least: int) -> int | None:
    """Return the distance of at least so many values that divide a whole evenly, from 0 on."""
    if len(values) < least or whole % len(values):
        return None
    step = whole // len(values)
    return step if tuple(values) == tuple(range(0, whole, step)) else None


def _is_span(values: Sequence[int], least: int = MIN_SPAN) -> bool:
    return len(values) >= least and values[-1] - values[0] == len(values) - 1


def _every(count: int, what: str) -> str:
    return f"every {what}" if count == 1 else f"every {count} {what}s"


def _clock(hour: int, minute: int) -> str:
    return f"{hour:02d}:{minute:02d}"


def _numbers(values: Sequence[int]) -> list[str]:
    return [str(value) for value in values]


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
