"""The tables. Live jobs and finished ones are apart, so that history never slows a claim down."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from modhost.database import Identifier, UtcDateTime

SCHEMA: Final = "background_jobs"


def _index(name: str, *columns: str, where: str | None = None) -> Index:
    """Return an index, of the rows for which a condition holds if one is given."""
    condition: Any = None if where is None else text(where)
    name = f"ix_background_jobs_{name}"
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


class BackgroundJobsTable(SQLModel, registry=registry(metadata=MetaData(schema=SCHEMA))):
    """Base of this module's tables, in a schema and a registry of their own."""


class JobColumns(BackgroundJobsTable):
    """What a live and a finished job have in common; `JobRow` explains each."""

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    job_type: str
    module_name: str
    state: str
    data: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    execute_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempt: int = 0
    max_attempts: int
    attempts_left: int
    fence: int = Field(default=0, sa_type=BigInteger)
    rescues: int = 0
    worker: str | None = None
    timeout_seconds: float | None = None
    progress_percentage: int = 0
    progress_message: str | None = None
    error: str | None = None
    recurring_job_id: UUID | None = Field(default=None, sa_type=Identifier)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    module_version: str | None = None
    enqueued_by: str | None = None


class Job(JobColumns, table=True):
    """A job that is `Pending` or `Running`."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('Pending', 'Running')", name="ck_background_jobs_jobs_state"),
        _index(
            "jobs_claim", "job_type", "execute_at", "id", where="state = 'Pending' AND NOT on_hold"
        ),
        _index("jobs_running", "worker", where="state = 'Running'"),
        _index("jobs_recurring", "recurring_job_id", where="recurring_job_id IS NOT NULL"),
        _index("jobs_error", "id", where="error IS NOT NULL"),
    )

    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    progress_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    on_hold: bool = False
    has_begun: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether its attempt is known to run; recorded of suspects only, see `poison_jobs`."""


class FinishedJob(JobColumns, table=True):
    """A job in a final state; it is written once, and deleted by retention."""

    __tablename__ = "finished_jobs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('Completed', 'Failed', 'Cancelled', 'Skipped')",
            name="ck_background_jobs_finished_jobs_state",
        ),
        _index("finished_jobs_state", "state", "id"),
        _index("finished_jobs_type", "job_type", "state", "id"),
        _index("finished_jobs_completed", "state", "completed_at"),
        _index("finished_jobs_error", "state", "id", where="error IS NOT NULL"),
        _index(
            "finished_jobs_recurring",
            "recurring_job_id",
            "id",
            where="recurring_job_id IS NOT NULL",
        ),
    )

    completed_at: datetime = Field(sa_type=UtcDateTime)


class LargeData(BackgroundJobsTable, table=True):
    """The data of a job that are too large for its row; see `large_data`."""

    __tablename__ = "large_data"

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    data: str


class EndedAttempt(BackgroundJobsTable, table=True):
    """An attempt that did not end its job; the last attempt is recorded in the job's own row."""

    __tablename__ = "attempts"

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    fence: int = Field(primary_key=True, sa_type=BigInteger)
    number: int
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    worker: str | None
    error: str | None


class LogEntry(BackgroundJobsTable, table=True):
    """A line that a job logged; `line` grows with the fence first, then within the attempt."""

    __tablename__ = "logs"
    __table_args__ = {"sqlite_with_rowid": False}

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    line: int = Field(primary_key=True, sa_type=BigInteger)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    message: str


class Worker(BackgroundJobsTable, table=True):
    """A worker process that is alive, or not yet found dead."""

    __tablename__ = "workers"

    name: str = Field(primary_key=True)
    host: str
    process: int
    version: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    heartbeat_at: datetime = Field(sa_type=UtcDateTime)
    beats: int = Field(default=0, sa_type=BigInteger)
    clock_skew: float = Field(default=0.0, sa_column_kwargs={"server_default": text("0")})
    max_concurrency: int
    job_types: str


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
    created_at: datetime = Field(sa_type=UtcDateTime)


class Occurrence(BackgroundJobsTable, table=True):
    """A due time that fired; its key makes it fire once, however many workers try."""

    __tablename__ = "occurrences"

    recurring_job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    due_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    fired_at: datetime = Field(sa_type=UtcDateTime)
    job_id: UUID = Field(sa_type=Identifier)


class Statistic(BackgroundJobsTable, table=True):
    """What finished on one worker within one minute; `waits` and `runs` are histograms as JSON."""

    __tablename__ = "statistics"

    minute: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    worker: str = Field(primary_key=True)
    completed: int
    failed: int
    cancelled: int
    waits: str
    runs: str


def _table(name: str) -> Table:
    return BackgroundJobsTable.metadata.tables[f"{SCHEMA}.{name}"]


JOBS: Final = _table("jobs")
FINISHED: Final = _table("finished_jobs")
LARGE_DATA: Final = _table("large_data")
ATTEMPTS: Final = _table("attempts")
LOGS: Final = _table("logs")
WORKERS: Final = _table("workers")
SCHEDULES: Final = _table("recurring_jobs")
OCCURRENCES: Final = _table("occurrences")
STATISTICS: Final = _table("statistics")
