"""Durations as people write them: `90`, `"500ms"`, `"2s"`, `"5m"`, `"1h"`, `"7d"`."""

import math
import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator

MAX_DURATION: Final = timedelta(days=36_500)
"""Added to the present, or taken from it, it is still a date; so are several."""
_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_MICROSECOND: Final = timedelta(microseconds=1)
_WRITTEN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*")


def parse_duration(value: object) -> timedelta:
    """Read a number of seconds, or a number with one of the units ms, s, m, h and d.

    Raises `ValueError` with a sentence.
    """
    try:
        duration = value if isinstance(value, timedelta) else _read(value)
    except ArithmeticError:
        duration = timedelta.max
    if duration > MAX_DURATION:
        msg = f"{value!r} is longer than 100 years, the longest duration that can be set."
        raise ValueError(msg)
    if duration < timedelta(0):
        msg = f"{value!r} is negative; a duration is zero or more."
        raise ValueError(msg)
    return duration


def format_duration(duration: timedelta) -> str:
    """Return a text that `parse_duration` reads as the same duration, in the largest whole unit."""
    if not duration:
        return "0"
    for unit, length in _UNITS.items():
        if not duration % length:
            return f"{duration // length}{unit}"
    milliseconds, rest = divmod(duration, timedelta(milliseconds=1))
    return f"{milliseconds}.{rest.microseconds:03}".rstrip("0") + "ms"


def _read(value: object) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            msg = f"{value!r} is not a duration; write a number of seconds, or e.g. '2s'."
            raise ValueError(msg)
        return timedelta(seconds=value)
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        msg = f"{value!r} is not a duration; write a number of seconds, or one with a unit, such "
        msg += "as '500ms', '2s', '5m', '1h' or '7d'."
        raise ValueError(msg)
    # A float has too few digits for the microseconds of many years.
    unit = _UNITS[written[2] or "s"] // _MICROSECOND
    microseconds = Decimal(written[1]) * unit
    if microseconds > timedelta.max // _MICROSECOND:
        return timedelta.max
    return timedelta(microseconds=round(microseconds))


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
