"""The metrics of the reports: what this process has made them of."""

from collections import Counter
from typing import Final

from modhost.metrics import Metric, Samples
from modhost_reports_example.contracts import ReportType

RECORDS: Final = Metric(
    "reports_example_records_total",
    "counter",
    "Records of which reports were made in this process.",
    ("type",),
)


class RecordCounts:
    """Counts records as reports are made of them."""

    def __init__(self) -> None:
        self._by_type: Counter[ReportType] = Counter()

    def count(self, kind: ReportType, records: int) -> None:
        """Count the records of a report."""
        self._by_type[kind] += records

    def add(self, samples: Samples) -> None:
        """Add the counts of all types, also of those without a report."""
        for kind in ReportType:
            samples.add(RECORDS, self._by_type[kind], type=kind)
