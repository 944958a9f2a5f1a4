"""Grouping records by period, with sums that are exact."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal

from modhost_reports_example.computing.reading import Record
from modhost_reports_example.contracts import ColumnSummary, ReportRow, ReportType

# Adding decimal fractions as floats would drift by a little with each record.
_EXACT = Context(prec=400)


def group_records(records: Iterable[Record], report_type: ReportType) -> list[ReportRow]:
    """Return a row for each period that has records, oldest first."""
    periods: dict[str, _Period] = {}
    for record in records:
        periods.setdefault(period_of(record.day, report_type), _Period()).add(record)
    return [periods[name].row(name) for name in sorted(periods)]


def period_of(day: date, report_type: ReportType) -> str:
    """Return the name of a day's period."""
    year = f"{day.year:04d}"
    return year if report_type is ReportType.YEARLY else f"{year}-{day.month:02d}"


@dataclass(slots=True)
class _Column:
    count: int = 0
    total: Decimal = Decimal(0)
    least: Decimal = Decimal("Infinity")
    most: Decimal = Decimal("-Infinity")

    def add(self, value: Decimal) -> None:
        self.count += 1
        self.total = _EXACT.add(self.total, value)
        self.least = min(self.least, value)
        self.most = max(self.most, value)

    def summary(self) -> ColumnSummary:
        mean = _EXACT.divide(self.total, Decimal(self.count))
        return ColumnSummary(
            sum=float(self.total), mean=float(mean), min=float(self.least), max=float(self.most)
        )


@dataclass(slots=True)
class _Period:
    count: int = 0
    columns: dict[str, _Column] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        self.count += 1
        for name, value in record.values.items():
            self.columns.setdefault(name, _Column()).add(value)

    def row(self, name: str) -> ReportRow:
        values = {column: summed.summary() for column, summed in self.columns.items()}
        return ReportRow(period=name, count=self.count, values=values)
