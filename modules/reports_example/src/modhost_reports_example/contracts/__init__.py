"""The public API of the reports: all that other modules import from it."""

from modhost_reports_example.contracts.errors import (
    ReportNotFinished,
    ReportNotFound,
    UnknownSource,
)
from modhost_reports_example.contracts.models import (
    ColumnSummary,
    Report,
    ReportRequest,
    ReportRow,
    ReportStatus,
    ReportType,
)
from modhost_reports_example.contracts.reports import ReportsContracts

__all__ = [
    "ColumnSummary",
    "Report",
    "ReportNotFinished",
    "ReportNotFound",
    "ReportRequest",
    "ReportRow",
    "ReportStatus",
    "ReportType",
    "ReportsContracts",
    "UnknownSource",
]
