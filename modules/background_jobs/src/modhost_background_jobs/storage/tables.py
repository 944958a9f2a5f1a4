"""The tables. Live jobs and finished ones are apart, so that history never slows a claim down."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, MetaData, false, text
from sqlmodel import Field, SQLModel

from modhost.database import Identifier, UtcDateTime

SCHEMA = "background_jobs"


class BackgroundJobsTable(SQLModel):
    """Base of this module's tables, with metadata of their own."""

    metadata = MetaData()


class JobColumns(BackgroundJobsTable):
    """What a live and a finished job have in common.

    `fence` grows with every claim and never falls: a write that carries an older one is void.
    `attempt` counts the executions so far; `attempts_left` is what a failure spends.
    """

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
    enqueued_by: str | None = None


class Job(JobColumns, table=True):
    """A job that is `Pending` or `Running`."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('Pending', 'Running')", name="ck_background_jobs_jobs_state"),
        Index(
            "ix_background_jobs_jobs_claim",
            "job_type",
            "execute_at",
            "id",
            sqlite_where=text("state = 'Pending' AND NOT on_hold"),
            postgresql_where=text("state = 'Pending' AND NOT on_hold"),
        ),
        Index(
            "ix_background_jobs_jobs_running",
            "worker",
            sqlite_where=text("state = 'Running'"),
            postgresql_where=text("state = 'Running'"),
        ),
        Index(
            "ix_background_jobs_jobs_recurring",
            "recurring_job_id",
            sqlite_where=text("recurring_job_id IS NOT NULL"),
            postgresql_where=text("recurring_job_id IS NOT NULL"),
        ),
        Index(
            "ix_background_jobs_jobs_error",
            "id",
            sqlite_where=text("error IS NOT NULL"),
            postgresql_where=text("error IS NOT NULL"),
        ),
        {"schema": SCHEMA},
    )

    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    progress_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the percentage was reported; an attempt begins with that of the one before."""
    on_hold: bool = False
    """Waits for an earlier run of its schedule, whatever its due time."""
    has_begun: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether its attempt is known to run; noted of suspects only, see `quarantine`."""


class FinishedJob(JobColumns, table=True):
    """A job in a final state; it is written once, and deleted by retention."""

    __tablename__ = "finished_jobs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('Completed', 'Failed', 'Cancelled', 'Skipped')",
            name="ck_background_jobs_finished_jobs_state",
        ),
        Index("ix_background_jobs_finished_jobs_state", "state", "id"),
        Index("ix_background_jobs_finished_jobs_type", "job_type", "state", "id"),
        Index("ix_background_jobs_finished_jobs_completed", "state", "completed_at"),
        Index(
            "ix_background_jobs_finished_jobs_error",
            "state",
            "id",
            sqlite_where=text("error IS NOT NULL"),
            postgresql_where=text("error IS NOT NULL"),
        ),
        Index(
            "ix_background_jobs_finished_jobs_recurring",
            "recurring_job_id",
            "id",
            sqlite_where=text("recurring_job_id IS NOT NULL"),
            postgresql_where=text("recurring_job_id IS NOT NULL"),
        ),
        {"schema": SCHEMA},
    )

    completed_at: datetime = Field(sa_type=UtcDateTime)


class EndedAttempt(BackgroundJobsTable, table=True):
    """An execution that ended without ending its job; the last one stands in the job's own row."""

    __tablename__ = "attempts"
    __table_args__ = ({"schema": SCHEMA},)

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
    __table_args__ = ({"schema": SCHEMA, "sqlite_with_rowid": False},)

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    line: int = Field(primary_key=True, sa_type=BigInteger)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    message: str


class Worker(BackgroundJobsTable, table=True):
    """A consumer process that is alive, or that nobody has yet found dead."""

    __tablename__ = "workers"
    __table_args__ = ({"schema": SCHEMA},)

    name: str = Field(primary_key=True)
    host: str
    process: int
    version: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    heartbeat_at: datetime = Field(sa_type=UtcDateTime)
    beats: int = Field(default=0, sa_type=BigInteger)
    max_concurrency: int
    running: int = 0
    job_types: str


class Schedule(BackgroundJobsTable, table=True):
    """A schedule; `next_run_at` is kept while it is disabled, so that nothing is caught up."""

    __tablename__ = "recurring_jobs"
    __table_args__ = ({"schema": SCHEMA},)

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str = Field(unique=True)
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
    last_job_id: UUID | None = Field(default=None, sa_type=Identifier)
    forgotten_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """The last due time whose occurrence was deleted; nothing up to it fires again."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class Statistic(BackgroundJobsTable, table=True):
    """What ended on one worker within one minute; `waits` and `runs` are histograms as JSON."""

    __tablename__ = "statistics"
    __table_args__ = ({"schema": SCHEMA},)

    minute: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    worker: str = Field(primary_key=True)
    completed: int
    failed: int
    cancelled: int
    waits: str
    runs: str


class Occurrence(BackgroundJobsTable, table=True):
    """A due time that fired; its key is what makes it fire once, whoever tries."""

    __tablename__ = "occurrences"
    __table_args__ = ({"schema": SCHEMA},)

    recurring_job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    due_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    fired_at: datetime = Field(sa_type=UtcDateTime)
    job_id: UUID = Field(sa_type=Identifier)
