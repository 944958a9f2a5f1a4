"""Flow control: limits and what counts for them, pauses, tags, and periods of unique jobs."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field

from modhost.database import Identifier, UtcDateTime
from modhost_background_jobs.storage.tables.base import BackgroundJobsTable, index, table


class Limit(BackgroundJobsTable, table=True):
    """A limit by its name: what classes say, and what operators say instead."""

    __tablename__ = "limits"

    name: str = Field(primary_key=True)
    kind: str
    default_limit: int
    period_seconds: float | None = None
    limit_override: int | None = None
    changed_by: str | None = None
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LimitedKey(BackgroundJobsTable, table=True):
    """A key of a limit: whoever claims jobs of it locks this row, so that nobody else counts.

    `opens_at` is when its rate allows the next start, while jobs are held back by it.
    """

    __tablename__ = "limit_keys"
    __table_args__ = (index("limit_keys_opening", "opens_at", where="opens_at IS NOT NULL"),)

    limit_name: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    opens_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Grant(BackgroundJobsTable, table=True):
    """A claim that counts for a key: for a concurrency as long as it runs, for a rate its period.

    Whether it runs is read of the job itself: no end, rescue or cancellation has to undo a grant.
    """

    __tablename__ = "limit_grants"

    limit_name: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    fence: int = Field(primary_key=True, sa_type=BigInteger)
    granted_at: datetime = Field(sa_type=UtcDateTime)


class Pause(BackgroundJobsTable, table=True):
    """A queue or a job type of which no worker starts a job."""

    __tablename__ = "pauses"

    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    paused_at: datetime = Field(sa_type=UtcDateTime)
    paused_by: str | None = None
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = ""


class JobTag(BackgroundJobsTable, table=True):
    """A tag of a job, live or finished."""

    __tablename__ = "job_tags"
    __table_args__ = (index("job_tags_job", "job_id"),)

    tag: str = Field(primary_key=True)
    job_id: UUID = Field(primary_key=True, sa_type=Identifier)


class UniquePeriod(BackgroundJobsTable, table=True):
    """The job that a key stands for until a time, whatever has become of the job."""

    __tablename__ = "unique_periods"
    __table_args__ = (index("unique_periods_end", "ends_at"),)

    unique_key: str = Field(primary_key=True)
    job_id: UUID = Field(sa_type=Identifier)
    ends_at: datetime = Field(sa_type=UtcDateTime)


LIMITS: Final = table("limits")
LIMIT_KEYS: Final = table("limit_keys")
GRANTS: Final = table("limit_grants")
PAUSES: Final = table("pauses")
JOB_TAGS: Final = table("job_tags")
UNIQUE_PERIODS: Final = table("unique_periods")
