"""Reports as plain data."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from modhost_background_jobs.contracts import JobId, JobStatus


class ReportType(StrEnum):
    """The period that records are grouped by."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


class ReportRequest(BaseModel):
    """What a report is made of; `upload` is the name of an uploaded file.

    Callers who may run jobs again may edit this, so it cannot name any file but an upload.
    """

    type: ReportType
    source: str
    upload: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}\.csv$")] | None = None


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
    """A report in a list; `job` is the status of the job that makes it, until it is finished."""

    job_id: JobId
    type: ReportType
    source: str
    created_at: datetime
    is_finished: bool
    job: JobStatus | None = None
    records: int | None
