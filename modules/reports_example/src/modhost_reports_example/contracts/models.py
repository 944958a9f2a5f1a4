"""Reports as plain data."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from modhost_background_jobs.contracts import JobId, JobStatus


class ReportType(StrEnum):
    """By which period the records are grouped."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


class ReportRequest(BaseModel):
    """What a report is made of; `upload` is the file of a source that somebody sent.

    Whoever may run jobs again may write this, so it can name no other file than an upload.
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
    """One period: `2012-01` or `2012`; a column without a value in it is left out."""

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
    """A report as a line of a list; `job` tells of one that is not finished how its job stands."""

    job_id: JobId
    type: ReportType
    source: str
    created_at: datetime
    is_finished: bool
    job: JobStatus | None = None
    records: int | None
