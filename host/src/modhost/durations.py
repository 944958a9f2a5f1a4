"""Durations as people write them: `90`, `"500ms"`, `"2s"`, `"5m"`, `"1h"`, `"7d"`."""

import math
import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

MAX_DURATION: Final = timedelta(days=36_500)
"""Added to the present, or taken from it, it is still a date; so are several."""
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*")


def parse_duration(value: object) -> timedelta:
    """Read a number of seconds, or a number with one of the units ms, s, m, h and d.

    Raises `ValueError` with a sentence.
    """
    try:
        duration = value if isinstance(value, timedelta) else timedelta(seconds=_seconds(value))
    except OverflowError:
        duration = timedelta.max
    if duration > MAX_DURATION:
        msg = f"{value!r} is longer than 100 years, the longest duration that can be set."
        raise ValueError(msg)
    if duration < timedelta(0):
        msg = f"{value!r} is negative; a duration is zero or more."
        raise ValueError(msg)
    return duration


def format_duration(duration: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads as the same duration."""
    milliseconds = duration / timedelta(milliseconds=1)
    for unit in ("d", "h", "m", "s"):
        in_unit = duration.total_seconds() / _UNITS[unit]
        if in_unit and in_unit == int(in_unit):
            return f"{int(in_unit)}{unit}"
    return f"{milliseconds:g}ms" if milliseconds else "0"


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            msg = f"{value!r} is not a duration; write a number of seconds, or e.g. '2s'."
            raise ValueError(msg)
        return value
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        msg = f"{value!r} is not a duration; write a number of seconds, or one with a unit, such "
        msg += "as '500ms', '2s', '5m', '1h' or '7d'."
        raise ValueError(msg)
    return float(written[1]) * _UNITS[written[2] or "s"]


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
