"""Jobs, attempts and logs. Live jobs and finished ones are apart: history slows no claim down."""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, false, text
from sqlmodel import Field

from modhost.database import Identifier, UtcDateTime
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model.flow import HAS_STARTED
from modhost_background_jobs.storage.tables.base import (
    BackgroundJobsTable,
    KeyText,
    index,
    table,
)

IN_LANE: Final = "state = 'Pending' AND NOT on_hold AND lane IS NOT NULL AND held_by IS NULL"
"""Which jobs of lanes can be claimed once they are due."""
IS_WAITING: Final = "on_hold AND recurring_job_id IS NULL"
"""Which jobs wait for the end of others."""
IS_UNIQUE: Final = f"unique_key IS NOT NULL AND substr(unique_key, 1, 2) <> '{HAS_STARTED}'"
"""Which jobs must not be there twice."""
HAD_TURN: Final = "turn_at IS NOT NULL AND started_at IS NOT NULL"
"""Which finished jobs have had their turn: of the cancelled ones those that ran."""
PLACE: Final = "coalesce(place_at, execute_at)"
"""The order within a lane, besides the id."""
_PLACE: Final = text(PLACE)


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
    queue: str = Field(default=DEFAULT_QUEUE, sa_column_kwargs={"server_default": DEFAULT_QUEUE})
    priority: int = Field(
        default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")}
    )
    tags: str | None = None
    lane: str | None = None
    limits: str | None = None
    unique_key: str | None = None
    fair_key: str | None = None
    workflow_id: UUID | None = Field(default=None, sa_type=Identifier)
    checkpoint: str | None = None
    turn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """The last place that it got among others of its lane, by its turn."""
    traceparent: str | None = None
    summary: str | None = None


class Job(JobColumns, table=True):
    """A job that is `Pending` or `Running`."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('Pending', 'Running')", name="ck_background_jobs_jobs_state"),
        index(
            "jobs_claim",
            "job_type",
            "execute_at",
            "id",
            where="state = 'Pending' AND NOT on_hold AND lane IS NULL",
        ),
        index("jobs_lane", "lane", _PLACE, "id", where=IN_LANE),
        index(
            "jobs_lane_type",
            "job_type",
            "queue",
            "execute_at",
            "id",
            where="state = 'Pending' AND NOT on_hold AND lane IS NOT NULL",
        ),
        index("jobs_held", "held_by", "lane", _PLACE, "id", where="held_by IS NOT NULL"),
        index("jobs_fair", "lane", "fair_key", "turn_at", where="fair_key IS NOT NULL"),
        index("jobs_unique", "unique_key", where=IS_UNIQUE, unique=True),
        index("jobs_queue", "queue", "id", where="queue <> 'default'"),
        index("jobs_running", "worker", where="state = 'Running'"),
        index("jobs_recurring", "recurring_job_id", where="recurring_job_id IS NOT NULL"),
        index("jobs_error", "id", where="error IS NOT NULL"),
        index("jobs_workflow", "workflow_id", "id", where="workflow_id IS NOT NULL"),
        index("jobs_waiting", "job_type", "id", where=IS_WAITING),
    )

    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    progress_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    on_hold: bool = False
    place_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Its place among the due jobs of its lane where that is not by its due time."""
    held_by: str | None = Field(default=None, sa_type=KeyText)
    has_begun: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether its attempt is known to run; recorded of suspects only, see `poison_jobs`."""
    is_awaited: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether somebody waits for its end: other jobs, its workflow, or a caller of `wait`."""


class FinishedJob(JobColumns, table=True):
    """A job in a final state; it is written once, and deleted by retention."""

    __tablename__ = "finished_jobs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('Completed', 'Failed', 'Cancelled', 'Skipped')",
            name="ck_background_jobs_finished_jobs_state",
        ),
        index("finished_jobs_state", "state", "id"),
        index("finished_jobs_type", "job_type", "state", "id"),
        index("finished_jobs_completed", "state", "completed_at"),
        index("finished_jobs_error", "state", "id", where="error IS NOT NULL"),
        index(
            "finished_jobs_recurring",
            "recurring_job_id",
            "id",
            where="recurring_job_id IS NOT NULL",
        ),
        index("finished_jobs_queue", "queue", "state", "id", where="queue <> 'default'"),
        index(
            "finished_jobs_workflow", "workflow_id", "state", "id", where="workflow_id IS NOT NULL"
        ),
        index("finished_jobs_fair", "lane", "fair_key", "turn_at", where=HAD_TURN),
        index("finished_jobs_turn", "lane", "turn_at", where=HAD_TURN),
    )

    completed_at: datetime = Field(sa_type=UtcDateTime)
    result: str | None = None
    """What its attempt returned, as JSON."""


class LargeData(BackgroundJobsTable, table=True):
    """The data of a job that are too large for its row; see `large_data`."""

    __tablename__ = "large_data"

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    data: str


class JobWord(BackgroundJobsTable, table=True):
    """A word of the summary of a job, live or finished, in small letters."""

    __tablename__ = "job_words"
    __table_args__ = (index("job_words_job", "job_id"),)

    word: str = Field(primary_key=True)
    job_id: UUID = Field(primary_key=True, sa_type=Identifier)


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
    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    line: int = Field(primary_key=True, sa_type=BigInteger)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    message: str


JOBS: Final = table("jobs")
FINISHED: Final = table("finished_jobs")
LARGE_DATA: Final = table("large_data")
JOB_WORDS: Final = table("job_words")
ATTEMPTS: Final = table("attempts")
LOGS: Final = table("logs")
