"""Filters of templates: times, durations and numbers in words."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from modhost.web.rendering.agents import browser

EXACT_TIMES: Final[ContextVar[bool]] = ContextVar("exact_times", default=False)
"""Whether a page is rendered for somebody who wants moments, and not how far they are from now."""
_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def ago(moment: datetime, now: datetime | None) -> str:
    """Return how far a moment is from now: `just now`, `5 min ago`, `in 2 h`.

    Without a `now` it is the moment itself, for HTML that is kept and compared.
    """
    if now is None:
        return utc(moment)
    if EXACT_TIMES.get():
        return stamp(moment, now)
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance < 5:
        return "just now"
    unit, length = next(each for each in _UNITS if distance >= each[1])
    span = f"{int(distance // length)} {unit}"
    return f"{span} ago" if seconds > 0 else f"in {span}"


def stamp(moment: datetime, now: datetime | None) -> str:
    """Return a moment to the second, without the year if that is the present one."""
    moment = moment.astimezone(UTC)
    year = "" if now is not None and moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M:%S} UTC"


def duration(span: float | timedelta | None) -> str:
    """Return a span of seconds in words: `12 ms`, `3.4 s`, `5 min 12 s`; a dash for None."""
    if span is None:
        return "\N{EN DASH}"
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    (unit, length), (smaller, smaller_length) = next(
        pair for pair in pairwise(_UNITS) if whole >= pair[0][1]
    )
    rest = whole % length // smaller_length
    return f"{whole // length} {unit}" + (f" {rest} {smaller}" if rest else "")


def rough(seconds: float) -> str:
    """Return a span of seconds in one unit and two digits: `0`, `40 ms`, `3 h`."""
    if not seconds:
        return "0"
    for unit, length in (*_UNITS, ("ms", 0.001)):
        if seconds >= length:
            return f"{float(f'{seconds / length:.2g}'):g} {unit}"
    return f"{seconds * 1000:.2g} ms"


def utc(moment: datetime) -> str:
    """Return a moment to the second: `2026-03-01 12:00:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def grouped(number: int) -> str:
    """Return a whole number with its thousands apart, by a narrow space that does not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def marked(text: str, words: str) -> Markup:
    """Return a text with every occurrence of some words marked, in upper or lower case."""
    if not words:
        return escape(text)
    return _tagged(re.split(f"({re.escape(words)})", text, flags=re.IGNORECASE), "mark")


def coded(text: str) -> Markup:
    """Return a sentence with what stands between backticks set as code."""
    return _tagged(text.split("`"), "code")


def _tagged(parts: Sequence[str], tag: str) -> Markup:
    """Join parts, every second of them within an element."""
    element = Markup("<{0}>{1}</{0}>")
    return Markup("").join(
        element.format(tag, part) if number % 2 else part for number, part in enumerate(parts)
    )


def module_title(name: str) -> str:
    """Return the name of a module as people read it: `Background jobs`."""
    return name.replace("_", " ").capitalize()


def capitalized(sentence: str) -> str:
    """Return a sentence with its first letter in upper case, and all others as they are."""
    return sentence[:1].upper() + sentence[1:]


def written(value: object) -> str:
    """Return the value of an option as a configuration file has it, nearly."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value)) or "[]"
    return str(value) if value != "" else '""'


FILTERS: Final = {
    each.__name__: each
    for each in (
        ago,
        browser,
        capitalized,
        coded,
        duration,
        grouped,
        marked,
        module_title,
        rough,
        stamp,
    )
} | {"utc": utc, "written": written}
"""The filters of all templates."""
