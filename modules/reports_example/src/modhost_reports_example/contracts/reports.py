"""The contract by which modules ask for reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from modhost_background_jobs.contracts import JobId
from modhost_reports_example.contracts.models import Report, ReportRequest, ReportStatus


class ReportsContracts(Protocol):
    """Ask for reports, and read them."""

    async def request(self, request: ReportRequest, execute_at: datetime | None = None) -> JobId:
        """Have a report made, now or at a time (with a zone). Raises `UnknownSource`."""
        ...

    async def get(self, job_id: JobId) -> Report:
        """Return a finished report. Raises `ReportNotFound` and `ReportNotFinished`."""
        ...

    async def latest(self, count: int = 20) -> Sequence[ReportStatus]:
        """Return the newest reports, finished or not."""
        ...
