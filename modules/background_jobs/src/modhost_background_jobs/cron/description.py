"""A cron schedule in words, made of its values as a person says them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from modhost_background_jobs.cron.days import Words, days_in_words
from modhost_background_jobs.cron.fields import Field, binds_both_days
from modhost_background_jobs.cron.spans import DASH, distance, listed, numbers, spans

MAX_TIMES: Final = 6
"""How many times of a day are listed where a shorter phrase says them, too."""
MIN_SPACED: Final = 4
"""How many values it takes to say how far apart they are rather than to list them."""
MAX_WINDOWS: Final = 3
_ORDINALS: Final = {2: "2nd", 3: "3rd"} | {n: f"{n}th" for n in range(4, 13)}


@lru_cache(maxsize=1024)
def in_words(fields: tuple[Field, ...]) -> str:
    """Return the five fields as a phrase, e.g. `At 00:00 on the 1st of the month`.

    Fields of the same values have the same words, however they are written.
    """
    minute, hour = (field.values for field in fields[:2])
    day, month, weekday = (() if field.is_any else field.values for field in fields[2:])
    needs_both = binds_both_days(fields)
    if not needs_both and not (day and weekday):
        # Either is enough: if one of them has all days, every day is one.
        day = weekday = ()
    days = days_in_words(day, month, weekday, needs_both=needs_both)
    # Hours beyond midnight belong to the next day, and so are one window of any day alone.
    times, is_daily = _times(minute, hour, is_round=not days)
    if is_daily and not any(each.says_days for each in days):
        days.insert(0, Words("every day"))
    phrase, stands_apart = times.text, times.stands_apart
    for each in days:
        stands_apart = stands_apart or each.stands_apart
        phrase += f"{',' if stands_apart else ''} {each.text}"
    return phrase


def _times(minutes: Sequence[int], hours: Sequence[int], *, is_round: bool) -> tuple[Words, bool]:
    """Return the times of a day, and whether it takes a word to say that every day has them."""
    whole = len(hours) == 24
    windows = spans(hours, 24 if is_round else None)
    if len(minutes) == 1:
        words = _each_hour(minutes[0], hours, windows)
    else:
        words = _each_minutes(minutes, hours, windows)
    if words is not None:
        return words, False
    if len(hours) * len(minutes) <= MAX_TIMES:
        return Words("At " + listed([_clock(h, m) for h in hours for m in minutes])), True
    text = "At minute " if len(minutes) == 1 else "At minutes "
    text += listed(numbers(minutes))
    if not whole and len(minutes) > 1 and len(windows) <= MAX_WINDOWS:
        return Words(f"{text}, {_windows(windows, 0, 59)}", stands_apart=True), False
    return Words(f"{text} {'of every hour' if whole else _of_hours(hours)}"), False


def _each_hour(
    minute: int, hours: Sequence[int], windows: Sequence[tuple[int, int]]
) -> Words | None:
    """Return how many hours lie between the times; None where that has no short phrase."""
    step = distance(hours, MIN_SPACED)
    if step and len(hours) * step == 24 and hours[0] == 0:
        at = f" at minute {minute}" if minute else ""
        return Words(_every(step, "hour") + at)
    is_split = len(windows) <= MAX_WINDOWS and len(hours) > MAX_TIMES
    if is_split or (len(windows) == 1 and len(hours) >= MIN_SPACED):
        return Words(f"Every hour, {_windows(windows, minute, minute)}", stands_apart=True)
    if step:
        window = _windows([(hours[0], hours[-1])], minute, minute)
        return Words(f"{_every(step, 'hour')}, {window}", stands_apart=True)
    return None


def _each_minutes(
    minutes: Sequence[int], hours: Sequence[int], windows: Sequence[tuple[int, int]]
) -> Words | None:
    """Return how many minutes lie between the times; None where that has no short phrase."""
    step = distance(minutes, 2)
    if step is None:
        return None
    text, is_even = _every(step, "minute"), len(minutes) * step == 60 and minutes[0] == 0
    if not is_even:
        if len(minutes) <= MAX_TIMES:
            return None
        text += f" from minute {minutes[0]} to {minutes[-1]}"
    if len(hours) == 24:
        return Words(text if is_even else f"{text} of every hour")
    fewest = MIN_SPACED if len(windows) == 1 else MAX_TIMES
    if len(minutes) < MIN_SPACED and len(minutes) * len(hours) <= fewest:
        return None
    if len(windows) <= MAX_WINDOWS:
        return Words(f"{text}, {_windows(windows, 0, 59)}", stands_apart=True)
    return Words(f"{text} {_of_hours(hours)}")


def _of_hours(hours: Sequence[int]) -> str:
    step = distance(hours, MIN_SPACED)
    if step and len(hours) * step == 24 and hours[0] == 0:
        return f"of every {_ORDINALS[step]} hour"
    return f"of the hours {listed(numbers(hours))}"


def _windows(windows: Sequence[tuple[int, int]], first: int, last: int) -> str:
    return listed(
        [
            _clock(start, first)
            if (start, first) == (end, last)
            else f"{_clock(start, first)}{DASH}{_clock(end, last)}"
            for start, end in windows
        ]
    )


def _every(count: int, what: str) -> str:
    return f"Every {what}" if count == 1 else f"Every {count} {what}s"


def _clock(hour: int, minute: int) -> str:
    return f"{hour:02d}:{minute:02d}"
