"""A report as a chart on a page: a line through the means of each column."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from modhost.web.charts import NoScale, linear, lines
from modhost_reports_example.computing.exporting import NO_NUMBERS, NO_SCALE, columns_of
from modhost_reports_example.contracts import ReportRow, ReportType

MAX_LINES: Final = 6
MAX_PLACES: Final = 120
"""More would be less than three pixels apart on a phone."""
_MONTHS: Final = (1, 3, 12, 24, 60, 120, 240, 600, 1200)
"""How long a place may be."""
_MAX_LETTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A column, and the points of its polylines."""

    column: str
    points: Sequence[str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """The parts of a chart; `problem` says why there is none.

    `labels` and `readings` have a line for each place of the chart: its periods, and the means of
    all columns in it. `thinned` says how long a place is, where that is longer than a period, and
    `left_out` is the number of columns without a line.
    """

    problem: str = ""
    lines: Sequence[Line] = ()
    ticks: Sequence[str] = ()
    zero: float | None = None
    labels: str = ""
    readings: str = ""
    ends: Sequence[str] = ()
    is_open: bool = False
    thinned: str = ""
    left_out: int = 0


def draw(kind: ReportType, rows: Sequence[ReportRow], made_at: datetime) -> Drawing:
    """Return the chart of a report; its last place is open where that ends after `made_at`."""
    columns = columns_of(rows)
    drawn = columns[:MAX_LINES]
    if not drawn:
        return Drawing(NO_NUMBERS)
    rows = sorted(rows, key=lambda row: row.period)
    months = _months_of_a_place(kind, rows)
    places = _places(rows, months)
    series = [[_mean(place, column) for place in places] for column in drawn]
    values = [value for each in series for value in each if value is not None]
    try:
        scale = linear(min(values), max(values))
    except NoScale:
        return Drawing(NO_SCALE)
    first = _month(rows[0].period) // months
    labels = [_label(kind, (first + number) * months, months) for number in range(len(places))]
    is_open = (first + len(places)) * months > made_at.year * 12 + made_at.month - 1
    named = [_shortened(column) for column in drawn]
    readings = [_reading(named, means) for means in zip(*series, strict=True)]
    if is_open:
        readings[-1] += " so far"
    is_thinned = months > (1 if kind is ReportType.MONTHLY else 12)
    return Drawing(
        lines=[Line(name, lines(each, scale)) for name, each in zip(named, series, strict=True)],
        ticks=[f"{tick:,.12g}".replace(",", "\N{NARROW NO-BREAK SPACE}") for tick in scale.ticks],
        zero=scale.y(0) if scale.first < 0 < scale.last else None,
        labels="\n".join(labels),
        readings="\n".join(readings),
        ends=list(dict.fromkeys((labels[0], labels[-1]))),
        is_open=is_open,
        thinned=_length(months) if is_thinned else "",
        left_out=len(columns) - len(drawn),
    )


def _month(period: str) -> int:
    """Return how many months after the year 0 a period begins."""
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month or 1) - 1


def _months_of_a_place(kind: ReportType, rows: Sequence[ReportRow]) -> int:
    own = 1 if kind is ReportType.MONTHLY else 12
    first, last = _month(rows[0].period), _month(rows[-1].period)
    return next(
        each
        for each in _MONTHS
        if each >= own and (last // each - first // each < MAX_PLACES or each == _MONTHS[-1])
    )


def _places(rows: Sequence[ReportRow], months: int) -> list[list[ReportRow]]:
    """Sort periods into places, which are there without any as well."""
    first, last = (_month(row.period) // months for row in (rows[0], rows[-1]))
    places: list[list[ReportRow]] = [[] for _ in range(first, last + 1)]
    for row in rows:
        places[_month(row.period) // months - first].append(row)
    return places


def _mean(rows: Iterable[ReportRow], column: str) -> float | None:
    """Return the mean of a column over some periods, each as weighty as it has records."""
    found = [(row.values[column].mean, row.count) for row in rows if column in row.values]
    if not found:
        return None
    records = sum(count for _, count in found)
    return math.fsum(mean * (count / records) for mean, count in found)


def _label(kind: ReportType, first: int, months: int) -> str:
    """Return the first period of a place, and the last one if that is another."""
    own = 1 if kind is ReportType.MONTHLY else 12
    ends = dict.fromkeys((first, first + months - own))
    return " to ".join(
        f"{month // 12:04d}" + (f"-{month % 12 + 1:02d}" if own == 1 else "") for month in ends
    )


def _length(months: int) -> str:
    return (
        f"{months} months" if months < 12 else "year" if months == 12 else f"{months // 12} years"
    )


def _reading(columns: Sequence[str], means: Sequence[float | None]) -> str:
    known = [
        f"{column} {_number(mean)}"
        for column, mean in zip(columns, means, strict=True)
        if mean is not None
    ]
    return ", ".join(known) or "no number"


def _number(value: float) -> str:
    """Return a number with four digits or more, its thousands apart."""
    if value and not 0.001 <= abs(value) < 1e15:
        return f"{value:.4g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    written = f"{value:,.{decimals}f}"
    written = written.rstrip("0").rstrip(".") if decimals else written
    return written.replace(",", "\N{NARROW NO-BREAK SPACE}")


def _shortened(column: str) -> str:
    """Return a name on one line that is short enough for a key."""
    name = " ".join(column.split()) or "without a name"
    return name if len(name) <= _MAX_LETTERS else f"{name[:_MAX_LETTERS]}\N{HORIZONTAL ELLIPSIS}"
