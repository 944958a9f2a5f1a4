"""Reading a CSV record by record, with an error that tells the line."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TextIO

# Beside ISO 8601. 03/04/2012 is not among them: nobody can tell which of the two is the month.
_DATE_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y")
_DELIMITERS: Final = ",;\t|"
# Small enough for any sum of values to be a float, and therefore JSON.
_LARGEST: Final = Decimal("1e200")


class UnreadableCsv(Exception):
    """The file is no CSV that a report can be made of."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Record:
    """One line: its date, and the numeric columns that have a value in it."""

    day: date
    values: dict[str, Decimal]


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file, which needs a header, a date column and UTF-8.

    The date column is the one named `date`, or else the first whose first value is a date. A
    column is numeric when its first value is a number; then all its values have to be. Empty cells
    are no values, and blank lines no records.

    Raises:
        UnreadableCsv: with the line and the reason.

    """
    # A byte that is not UTF-8 becomes a surrogate, which is then found on the line it stands on; a
    # strict decoder would stop at the block of lines around it.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(_utf8_lines(file), delimiter=_delimiter(file), strict=True)
        try:
            yield from _records(reader, lambda: reader.line_num)
        except csv.Error as error:
            raise UnreadableCsv(reader.line_num, f"{error}.") from error


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


def _records(rows: Iterator[list[str]], line: Callable[[], int]) -> Iterator[Record]:
    header = next(rows, None)
    if not header or not any(header):
        raise UnreadableCsv(1, "there is no header.")
    names = [name.strip() for name in header]
    if len(set(names)) != len(names):
        raise UnreadableCsv(1, "two columns have one name.")
    columns: _Columns | None = None
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            reason = f"there are {len(row)} values for {len(names)} columns."
            raise UnreadableCsv(line(), reason)
        columns = columns or _Columns(names, _date_column(names, row, line()))
        yield columns.record(row, line())
    if columns is None:
        raise UnreadableCsv(line(), "there are no records below the header.")


@dataclass(slots=True)
class _Columns:
    """What the columns hold, learned from their first values."""

    names: Sequence[str]
    day: int
    numeric: dict[int, bool] = field(default_factory=dict)

    def record(self, row: Sequence[str], line: int) -> Record:
        """Return a line as a record. Raises `UnreadableCsv`."""
        day = _as_date(row[self.day])
        if day is None:
            raise UnreadableCsv(line, f"{row[self.day]!r} in {self.names[self.day]!r} is no date.")
        values = {}
        for index, cell in enumerate(row):
            if index != self.day and cell.strip():
                value = self._number(index, cell, line)
                if value is not None:
                    values[self.names[index]] = value
        return Record(day, values)

    def _number(self, index: int, cell: str, line: int) -> Decimal | None:
        if self.numeric.get(index) is False:
            return None
        value = _as_number(cell)
        if value is None and self.numeric.get(index):
            raise UnreadableCsv(line, f"{cell!r} in {self.names[index]!r} is no number.")
        if value is not None and not (value.is_finite() and value.copy_abs() <= _LARGEST):
            reason = f"{cell!r} in {self.names[index]!r} is no number that can be added up."
            raise UnreadableCsv(line, reason)
        self.numeric[index] = value is not None
        return value


def _date_column(names: Sequence[str], first: Sequence[str], line: int) -> int:
    for index, name in enumerate(names):
        if name.lower() == "date":
            return index
    for name in names:
        if _as_date(name) is not None:
            raise UnreadableCsv(1, f"there is no header: {name!r} is a date and no name.")
    for index, cell in enumerate(first):
        if _as_date(cell) is not None:
            return index
    raise UnreadableCsv(line, "no column is named 'date', and none begins with a date.")


def _as_date(text: str) -> date | None:
    stripped = text.strip()
    with suppress(ValueError):
        return datetime.fromisoformat(stripped).date()
    for form in _DATE_FORMATS:
        with suppress(ValueError):
            return datetime.strptime(stripped, form).date()  # noqa: DTZ007 - a day has no zone
    return None


def _as_number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None
