"""The contract for ordering and reading reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from modhost_background_jobs.contracts import JobId
from modhost_reports_example.contracts.models import Report, ReportRequest, ReportStatus


class ReportsContracts(Protocol):
    """Order reports, and read them."""

    async def request(self, request: ReportRequest, execute_at: datetime | None = None) -> JobId:
        """Order a report, which a background job makes.

        Args:
            request: the source of the records, and how to group them.
            execute_at: when to make the report, with a time zone, in the years 1970 to 8999; now
                by default.

        Returns:
            The id of the job, which is also the id of the report.

        Raises:
            UnknownSource: there is no source with this name.
            InvalidJobData: `execute_at` has no time zone or is out of bounds.

        """

    async def get(self, job_id: JobId) -> Report:
        """Return a finished report.

        Args:
            job_id: the id that `request` returned.

        Raises:
            ReportNotFound: no report has this id.
            ReportNotFinished: the report's job has not completed.

        """

    async def latest(self, count: int = 20) -> Sequence[ReportStatus]:
        """Return the newest reports, finished or not.

        Args:
            count: how many reports at most; 20 by default.

        """
