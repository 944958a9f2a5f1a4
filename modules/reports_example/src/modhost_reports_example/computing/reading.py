"""Reading a CSV record by record, with an error that tells the line."""

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TextIO

_DATE_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d")
_DELIMITERS: Final = ",;\t|"


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
    column is numeric when its first value is a number; then all its values have to be.

    Raises:
        UnreadableCsv: with the line and the reason.

    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(file))
        try:
            yield from _records(reader, lambda: reader.line_num)
        except UnicodeDecodeError as error:
            raise UnreadableCsv(reader.line_num + 1, "the text is not UTF-8.") from error
        except csv.Error as error:
            raise UnreadableCsv(reader.line_num, f"{error}.") from error


def _delimiter(file: TextIO) -> str:
    try:
        header = file.readline(65536)
    except UnicodeDecodeError as error:
        raise UnreadableCsv(1, "the text is not UTF-8.") from error
    file.seek(0)
    return max(_DELIMITERS, key=header.count)


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
        self.numeric[index] = value is not None
        return value


def _date_column(names: Sequence[str], first: Sequence[str], line: int) -> int:
    for index, name in enumerate(names):
        if name.lower() == "date":
            return index
    for index, cell in enumerate(first):
        if _as_date(cell) is not None:
            return index
    raise UnreadableCsv(line, "no column is named 'date', and none begins with a date.")


def _as_date(text: str) -> date | None:
    stripped = text.strip()
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(stripped, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(stripped).date()
    except ValueError:
        return None


def _as_number(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    # Within what a float, and therefore JSON, can hold.
    return value if value.is_finite() and math.isfinite(float(value)) else None
