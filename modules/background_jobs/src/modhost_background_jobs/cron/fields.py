"""The five fields of a cron expression, each value checked before it is expanded."""

import re
from dataclasses import dataclass
from typing import Final

from modhost_background_jobs.contracts import InvalidCronExpression

LONGEST: Final = 256
MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_PART: Final = re.compile(r"(\*|\w{1,3})(?:-(\w{1,3}))?(?:/(\d{1,9}))?", re.ASCII)
_DAYS_IN_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What may stand in a field."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    @property
    def all(self) -> range:
        """All values; 7 is the same day of the week as 0."""
        return range(self.least, 7 if self.name == "day of week" else self.most + 1)


MINUTE: Final = FieldKind("minute", 0, 59)
HOUR: Final = FieldKind("hour", 0, 23)
DAY: Final = FieldKind("day of month", 1, 31)
MONTH: Final = FieldKind("month", 1, 12, MONTHS)
WEEKDAY: Final = FieldKind("day of week", 0, 7, WEEKDAYS)
KINDS: Final = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its text and the values it stands for, in order; 0 is Sunday."""

    kind: FieldKind
    text: str
    values: tuple[int, ...]

    @property
    def is_any(self) -> bool:
        """Whether the field allows every value."""
        return len(self.values) == len(self.kind.all)

    @property
    def is_wild(self) -> bool:
        """Whether the field begins with a star, and so repeats over its whole range."""
        return self.text.startswith("*")

    @property
    def for_croniter(self) -> str:
        """Return the field in the plainest form."""
        return "*" if self.text == "*" else ",".join(map(str, self.values))


def parse_fields(expression: str, *, is_stored: bool = False) -> tuple[Field, ...]:
    """Return the five fields. Raises `InvalidCronExpression` with what is wrong and allowed.

    A stored expression may have steps that are wider than their range, as was allowed once.
    """
    if len(expression) > LONGEST:
        msg = f"The cron expression has {len(expression)} characters; {LONGEST} are the most."
        raise InvalidCronExpression(msg)
    stripped = expression.strip()
    texts = MACROS.get(stripped.lower(), stripped).split()
    if len(texts) != len(KINDS):
        if stripped.startswith("@"):
            msg = f"The cron macro {stripped!r} is unknown; there are {', '.join(MACROS)}."
        else:
            msg = f"The cron expression {expression!r} has {len(texts)} fields instead of five: "
            msg += "minute, hour, day of month, month, day of week."
        raise InvalidCronExpression(msg)
    fields = tuple(_field(kind, text, is_stored) for kind, text in zip(KINDS, texts, strict=True))
    if _never_fires(fields) and not (is_stored and _has_two_days(fields)):
        day = fields[2].values[0]
        msg = f"The cron expression {expression.strip()!r} never fires: none of its months has "
        raise InvalidCronExpression(f"{msg}a day {day}.")
    return fields


def binds_both_days(fields: tuple[Field, ...]) -> bool:
    """Return whether both day fields have to match, since one of them begins with a star.

    Stored expressions whose day of the month never comes continue to need only one of them.
    """
    _, _, day, _, weekday = fields
    return (day.is_wild or weekday.is_wild) and not _never_fires(fields)


def _field(kind: FieldKind, text: str, is_stored: bool) -> Field:  # noqa: FBT001
    values: set[int] = set()
    for part in text.split(","):
        expanded, step = _expand(kind, text, part)
        if step > 1 and len(expanded) == 1 and not is_stored:
            raise _invalid(kind, text, f"the step of {part!r} goes beyond its range")
        values.update(expanded)
    if kind is WEEKDAY:
        values = {value % 7 for value in values}
    return Field(kind, text, tuple(sorted(values)))


def _expand(kind: FieldKind, text: str, part: str) -> tuple[range, int]:
    matched = _PART.fullmatch(part)
    if matched is None:
        raise _invalid(kind, text, f"{part!r} cannot be read")
    first, last, step = matched.groups()
    if first == "*":
        if last is not None:
            raise _invalid(kind, text, f"{part!r} mixes * with a range")
        start, end = kind.least, kind.all[-1]
    else:
        start = _value(kind, text, first)
        end = _end(kind, text, start, last, step)
    if start > end:
        raise _invalid(kind, text, f"the range {part!r} ends before it begins")
    width = int(step) if step else 1
    if width == 0:
        raise _invalid(kind, text, f"the step of {part!r} is 0")
    return range(start, end + 1, width), width


def _end(kind: FieldKind, text: str, start: int, last: str | None, step: str | None) -> int:
    if last is None:
        return start if step is None else kind.most
    end = _value(kind, text, last)
    # A week may end on Sunday: SAT-SUN.
    return 7 if kind is WEEKDAY and end == 0 < start else end


def _value(kind: FieldKind, text: str, written: str) -> int:
    if written.upper() in kind.names:
        return kind.names.index(written.upper()) + kind.least
    if not written.isdecimal():
        raise _invalid(kind, text, f"{written!r} cannot be read")
    value = int(written)
    if not kind.least <= value <= kind.most:
        raise _invalid(kind, text, f"{value} is out of range")
    return value


def _invalid(kind: FieldKind, text: str, what: str) -> InvalidCronExpression:
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    allowed = f"values from {kind.least} to {kind.most}"
    if kind.names:
        allowed += f" or {kind.names[0]} to {kind.names[-1]}"
    msg = f"In the {kind.name} {shown!r} of the cron expression {what}; allowed are {allowed}, "
    msg += "*, ranges (1-5), lists (1,3) and steps (*/2)."
    return InvalidCronExpression(msg)


def _has_two_days(fields: tuple[Field, ...]) -> bool:
    return not (fields[2].is_any or fields[4].is_any)


def _never_fires(fields: tuple[Field, ...]) -> bool:
    """Whether none of the months has one of the days, on which the days of the week depend."""
    _, _, day, month, weekday = fields
    if not (day.is_wild or weekday.is_wild):
        return False
    return min(day.values) > max(_DAYS_IN_MONTH[value - 1] for value in month.values)
