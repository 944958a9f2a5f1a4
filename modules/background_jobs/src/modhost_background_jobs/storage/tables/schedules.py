"""Schedules, and which of their due times have fired."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import UniqueConstraint, false
from sqlmodel import Field

from modhost.database import Identifier, UtcDateTime
from modhost_background_jobs.storage.tables.base import BackgroundJobsTable, table


class Schedule(BackgroundJobsTable, table=True):
    """A recurring job; `ScheduleRow` explains the columns."""

    __tablename__ = "recurring_jobs"
    __table_args__ = (
        UniqueConstraint("module_name", "name", name="uq_background_jobs_recurring_jobs_name"),
    )

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str
    job_type: str
    module_name: str
    cron_expression: str
    time_zone: str
    data: str | None = None
    overlap: str
    catch_up: str
    max_attempts: int
    timeout_seconds: float | None = None
    is_enabled: bool = True
    last_run_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_run_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    forgotten_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_of_start: bool | None = None
    left_out_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    module_version: str | None = None
    flow: str | None = None
    summary: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    is_by_hand: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Occurrence(BackgroundJobsTable, table=True):
    """A due time that fired; its key makes it fire once, however many workers try."""

    __tablename__ = "occurrences"

    recurring_job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    due_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    fired_at: datetime = Field(sa_type=UtcDateTime)
    job_id: UUID = Field(sa_type=Identifier)


SCHEDULES: Final = table("recurring_jobs")
OCCURRENCES: Final = table("occurrences")
