"""Read the records of a CSV, and group them by period."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TextIO

from modhost_reports_example.contracts import ColumnSummary, ReportRow, ReportType

# Besides ISO 8601. 03/04/2012 is missing because it is ambiguous: either could be the month.
_DATE_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y")
_DELIMITERS: Final = ",;\t|"
# Small enough for any sum of values to be a float, and therefore JSON.
_LARGEST: Final = Decimal("1e200")
# Adding decimal fractions as floats would drift a little with each record.
_EXACT: Final = Context(prec=400)


class UnreadableCsv(Exception):
    """The file is not a CSV that a report can be made of."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Record:
    """One line: its date, and the values of its numeric columns."""

    day: date
    values: dict[str, Decimal]


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file, which needs a header, a date column and UTF-8.

    The date column is the one named `date`, or else the first whose first value is a date. A
    column is numeric when its first value is a number; then all its values must be numbers. Empty
    cells and blank lines are skipped.

    Raises:
        UnreadableCsv: with the line and the reason.

    """
    # A byte that is not UTF-8 becomes a surrogate, which is then found on its own line; a strict
    # decoder would report the block of lines around it.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(_utf8_lines(file), delimiter=_delimiter(file), strict=True)
        try:
            columns = _Columns(_column_names(next(rows, [])))
            for row in rows:
                if any(cell.strip() for cell in row):
                    yield columns.record(row)
        except csv.Error as error:
            raise UnreadableCsv(rows.line_num, f"{error}.") from error
        if columns.day is None:
            raise UnreadableCsv(rows.line_num, "there are no records below the header.")


def _delimiter(file: TextIO) -> str:
    header = file.readline(65536)
    file.seek(0)
    return max(_DELIMITERS, key=header.count)


def _utf8_lines(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise UnreadableCsv(number, "the text is not UTF-8.") from error
        yield line


def _column_names(header: Sequence[str]) -> list[str]:
    if not any(header):
        raise UnreadableCsv(1, "there is no header.")
    names = [name.strip() for name in header]
    if len(set(names)) != len(names):
        raise UnreadableCsv(1, "two columns have the same name.")
    return names


def _date_column(names: Sequence[str], first: Sequence[str]) -> int:
    for index, name in enumerate(names):
        if name.lower() == "date":
            return index
    for name in names:
        if _as_date(name) is not None:
            raise UnreadableCsv(1, f"there is no header: {name!r} is a date, not a name.")
    for index, cell in enumerate(first):
        if _as_date(cell) is not None:
            return index
    raise csv.Error("no column is named 'date', and no column starts with a date")


@dataclass(slots=True)
class _Columns:
    """What each column holds, judged by its first value."""

    names: Sequence[str]
    day: int | None = None
    numeric: dict[int, bool] = field(default_factory=dict)

    def record(self, row: Sequence[str]) -> Record:
        """Return a line as a record. Raises `csv.Error` with the reason why it is none."""
        if len(row) != len(self.names):
            raise csv.Error(f"there are {len(row)} values for {len(self.names)} columns")
        if self.day is None:
            self.day = _date_column(self.names, row)
        day = _as_date(row[self.day])
        if day is None:
            raise csv.Error(f"{row[self.day]!r} in {self.names[self.day]!r} is not a date")
        values = {}
        for index, cell in enumerate(row):
            if index != self.day and cell.strip():
                value = self._number(index, cell)
                if value is not None:
                    values[self.names[index]] = value
        return Record(day, values)

    def _number(self, index: int, cell: str) -> Decimal | None:
        if self.numeric.get(index) is False:
            return None
        value = _as_number(cell)
        if value is None and self.numeric.get(index):
            raise csv.Error(f"{cell!r} in {self.names[index]!r} is not a number")
        if value is not None and not (value.is_finite() and value.copy_abs() <= _LARGEST):
            msg = f"{cell!r} in {self.names[index]!r} is too large for a sum, or not finite"
            raise csv.Error(msg)
        self.numeric[index] = value is not None
        return value


def _as_date(text: str) -> date | None:
    stripped = text.strip()
    with suppress(ValueError):
        return datetime.fromisoformat(stripped).date()
    for form in _DATE_FORMATS:
        with suppress(ValueError):
            return datetime.strptime(stripped, form).date()  # noqa: DTZ007 - a day has no zone
    return None


def _as_number(text: str) -> Decimal | None:
    with suppress(InvalidOperation):
        return Decimal(text.strip())
    return None


def group_records(records: Iterable[Record], report_type: ReportType) -> list[ReportRow]:
    """Return a row for each period that has records, oldest first."""
    counts: Counter[str] = Counter()
    columns: defaultdict[str, defaultdict[str, _Column]] = defaultdict(lambda: defaultdict(_Column))
    for record in records:
        period = period_of(record.day, report_type)
        counts[period] += 1
        for name, value in record.values.items():
            columns[period][name].add(value)
    return [
        ReportRow(
            period=period,
            count=counts[period],
            values={name: column.summary() for name, column in columns[period].items()},
        )
        for period in sorted(counts)
    ]


def period_of(day: date, report_type: ReportType) -> str:
    """Return the name of a day's period."""
    year = f"{day.year:04d}"
    return year if report_type is ReportType.YEARLY else f"{year}-{day.month:02d}"


@dataclass(slots=True)
class _Column:
    count: int = 0
    total: Decimal = Decimal(0)
    min: Decimal = Decimal("Infinity")
    max: Decimal = Decimal("-Infinity")

    def add(self, value: Decimal) -> None:
        self.count += 1
        self.total = _EXACT.add(self.total, value)
        self.min = min(self.min, value)
        self.max = max(self.max, value)

    def summary(self) -> ColumnSummary:
        mean = _EXACT.divide(self.total, Decimal(self.count))
        return ColumnSummary(
            sum=float(self.total), mean=float(mean), min=float(self.min), max=float(self.max)
        )
