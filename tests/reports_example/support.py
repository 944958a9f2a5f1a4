"""Reports made from text."""

from pathlib import Path

from modhost import new_id
from modhost_background_jobs.contracts import JobId
from modhost_reports_example.computing.records import Record, group_records, read_records
from modhost_reports_example.contracts import Report, ReportRow, ReportType


class CsvFolder:
    """Writes CSV files, and reads them as reports do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def records(self, content: str | bytes) -> list[Record]:
        path = self.folder / "source.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_records(path))

    def rows(self, content: str, report_type: ReportType = ReportType.MONTHLY) -> list[ReportRow]:
        return group_records(self.records(content), report_type)

    def report(self, content: str, source: str = "test") -> Report:
        rows = self.rows(content)
        return Report(
            job_id=JobId(new_id()),
            type=ReportType.MONTHLY,
            source=source,
            records=sum(row.count for row in rows),
            rows=rows,
        )
