"""All that other modules may import from the reports: the contract, its data and its errors."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import BaseModel, Field

from modhost_background_jobs.contracts import JobId, JobStatus, WorkflowId

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


class ReportType(StrEnum):
    """The period that records are grouped by."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


class ReportRequest(BaseModel):
    """What a report is made of; `upload` is the name of an uploaded file.

    `not_before` is when it was asked for, None for at once: the two are different requests.
    Callers who may run jobs again may edit this, so it cannot name any file but an upload.
    """

    type: ReportType
    source: str
    upload: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}\.csv$")] | None = None
    not_before: datetime | None = None


class ColumnSummary(BaseModel):
    """A numeric column over one period."""

    sum: float
    mean: float
    min: float
    max: float


class ReportRow(BaseModel):
    """One period, such as `2012-01` or `2012`; columns without a value in it are left out."""

    period: str
    count: int
    values: dict[str, ColumnSummary]


class Report(BaseModel):
    """A finished report."""

    job_id: JobId
    type: ReportType
    source: str
    records: int
    rows: list[ReportRow]


class ReportStatus(BaseModel):
    """A report in a list; `job` is the status of the job that makes it, until it is finished.

    `rows` and `completed_at` are those of a finished report.
    """

    job_id: JobId
    type: ReportType
    source: str
    created_at: datetime
    is_finished: bool
    job: JobStatus | None = None
    records: int | None
    rows: Sequence[ReportRow] = ()
    completed_at: datetime | None = None


class ReportNotFound(Exception):
    """No report belongs to this job."""


class ReportNotFinished(Exception):
    """The report's job has not completed; the message gives its state."""


class UnknownSource(Exception):
    """No source of records has this name."""


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

    async def compare_years(self, source: str) -> WorkflowId:
        """Order a report for each year of a shipped source, and one that compares them.

        Args:
            source: the name of the source.

        Returns:
            The id of the workflow whose jobs make the reports.

        Raises:
            UnknownSource: there is no source with this name.

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
