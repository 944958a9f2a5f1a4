"""The days of a cron schedule in words: days of the month, months, days of the week."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from modhost_background_jobs.cron.spans import MIN_SPAN, distance, listed, spans

MAX_LISTED: Final = 6
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
# A week begins on Monday, so that Saturday and Sunday are neighbours.
_WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)
_NTH: Final = {
    tuple(range(7 * n + 1, 7 * n + 8)): word
    for n, word in enumerate(("first", "second", "third", "fourth"))
}


@dataclass(frozen=True, slots=True)
class Words:
    """A part of a phrase; one that stands apart has a comma before it, and before what follows."""

    text: str
    stands_apart: bool = False
    says_days: bool = False


def days_in_words(
    days: Sequence[int], months: Sequence[int], weekdays: Sequence[int], *, needs_both: bool
) -> list[Words]:
    """Return the days in words; each without values allows all of them.

    With `needs_both` a day has to be both one of the month and one of the week, else either.
    """
    if days and weekdays and not needs_both:
        either = f"on {_ordinals(days)} of the month or {_weekdays(weekdays)}"
        return [Words(either, says_days=True), *_months(months, stands_apart=True)]
    if days and weekdays:
        return [_both(days, weekdays), *_months(months, stands_apart=True)]
    if weekdays:
        text = _weekdays(weekdays)
        words = Words(text, stands_apart=not text.startswith("on "), says_days=True)
        return [words, *_months(months)]
    if not days:
        return _months(months)
    if len(months) == 1 and len(_entries(days)) <= MAX_LISTED and not _is_spaced(days):
        dates = listed([_span(*each) for each in _entries(days)])
        return [Words(f"on {dates} {_MONTHS[months[0] - 1]}", says_days=True)]
    if months and len(_runs(months)) == len(months):
        names = listed([_MONTHS[month - 1] for month in months])
        return [Words(f"on {_ordinals(days)} of {names}", says_days=True)]
    return [Words(f"on {_ordinals(days)} of the month", says_days=True), *_months(months)]


def _both(days: Sequence[int], weekdays: Sequence[int]) -> Words:
    if nth := _NTH.get(tuple(days)):
        names = listed([f"the {nth} {name}" for name in _names(weekdays)])
        return Words(f"on {names} of the month", says_days=True)
    text, words = _ordinals(days, "or"), _weekdays(weekdays)
    condition = f"{words} if it is {text} of the month"
    return Words(condition, stands_apart=not words.startswith("on "), says_days=True)


def _weekdays(values: Sequence[int]) -> str:
    runs = spans(_from_monday(values), 7)
    if len(runs) == 1 and len(values) >= MIN_SPAN:
        (first, last), *_ = runs
        return f"{_WEEKDAYS[first]} to {_WEEKDAYS[last]}"
    return "on " + listed([f"{name}s" for name in _names(values)])


def _names(weekdays: Sequence[int]) -> list[str]:
    return [_WEEKDAYS[value] for value in _from_monday(weekdays)]


def _from_monday(weekdays: Sequence[int]) -> list[int]:
    return sorted((value - 1) % 7 for value in weekdays)


def _ordinals(days: Sequence[int], conjunction: str = "and") -> str:
    if _is_spaced(days):
        step = days[1] - days[0]
        first, last = _ordinal(days[0]), _ordinal(days[-1])
        return f"every {_ordinal(step)} day from the {first} to the {last}"
    texts = [_span(*each, _ordinal) for each in _entries(days)]
    return f"the {listed(texts, conjunction)}"


def _is_spaced(days: Sequence[int]) -> bool:
    """Whether it is shorter to say how far apart they are than to list them."""
    return len(_entries(days)) > MAX_LISTED and distance(days, 2) is not None


def _entries(days: Sequence[int]) -> list[tuple[int, int]]:
    """Return the days as they are listed: neighbours as one from three on."""
    entries: list[tuple[int, int]] = []
    for first, last in spans(days):
        is_span = last - first + 1 >= MIN_SPAN
        entries += [(first, last)] if is_span else [(day, day) for day in range(first, last + 1)]
    return entries


def _span(first: int, last: int, show: Callable[[int], str] = str) -> str:
    return show(first) if first == last else f"{show(first)} to {show(last)}"


def _ordinal(day: int) -> str:
    if day in (11, 12, 13):
        return f"{day}th"
    return f"{day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th') }"


def _months(values: Sequence[int], *, stands_apart: bool = False) -> list[Words]:
    if not values:
        return []
    runs = _runs(values)
    if len(runs) == 1 and len(values) >= MIN_SPAN:
        (first, last), *_ = runs
        return [Words(f"{_MONTHS[first]} to {_MONTHS[last]}", stands_apart=True)]
    names = listed([_MONTHS[value - 1] for value in values])
    return [Words(f"in {names}", stands_apart=stands_apart)]


def _runs(months: Sequence[int]) -> list[tuple[int, int]]:
    return spans([month - 1 for month in months], 12)
