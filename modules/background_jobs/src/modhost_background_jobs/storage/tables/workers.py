"""Workers, and what finished on them."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, text
from sqlmodel import Field

from modhost.database import UtcDateTime
from modhost_background_jobs.storage.tables.base import BackgroundJobsTable, index, table


class Worker(BackgroundJobsTable, table=True):
    """A worker process that is alive, or not yet found dead."""

    __tablename__ = "workers"

    name: str = Field(primary_key=True)
    host: str
    process: int
    version: str
    app_version: str = Field(default="", sa_column_kwargs={"server_default": ""})
    started_at: datetime = Field(sa_type=UtcDateTime)
    heartbeat_at: datetime = Field(sa_type=UtcDateTime)
    beats: int = Field(default=0, sa_type=BigInteger)
    clock_skew: float = Field(default=0.0, sa_column_kwargs={"server_default": text("0")})
    unresponsive: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    memory: int | None = Field(default=None, sa_type=BigInteger)
    blocked_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopping_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    quiet_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    quieted_by: str | None = None
    max_concurrency: int
    job_types: str
    queues: str = Field(default="*", sa_column_kwargs={"server_default": "*"})


class DepartedWorker(BackgroundJobsTable, table=True):
    """A worker that is gone: how it left, and how many jobs were taken back from it by that."""

    __tablename__ = "departed_workers"
    __table_args__ = (index("departed_workers_left", "left_at"),)

    name: str = Field(primary_key=True)
    host: str
    process: int
    version: str
    app_version: str
    queues: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    heartbeat_at: datetime = Field(sa_type=UtcDateTime)
    quiet_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    quieted_by: str | None = None
    left_at: datetime = Field(sa_type=UtcDateTime)
    departure: str
    jobs: int


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


class TypeStatistic(BackgroundJobsTable, table=True):
    """What finished of a type within `width` seconds, from `start` on.

    Workers write rows of their own by the minute; those with an empty `worker` are of all workers
    together, by the minute and by the hour.
    """

    __tablename__ = "type_statistics"
    __table_args__ = (
        index("type_statistics_start", "width", "start"),
        index("type_statistics_worker", "start", where="worker <> ''"),
    )

    job_type: str = Field(primary_key=True)
    width: int = Field(primary_key=True)
    start: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    queue: str = Field(primary_key=True)
    app_version: str = Field(primary_key=True)
    worker: str = Field(primary_key=True)
    completed: int
    failed: int
    cancelled: int
    waits: str
    runs: str


class AppVersion(BackgroundJobsTable, table=True):
    """A version of the application, and when a worker first ran it."""

    __tablename__ = "app_versions"

    version: str = Field(primary_key=True)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)


WORKERS: Final = table("workers")
DEPARTED: Final = table("departed_workers")
STATISTICS: Final = table("statistics")
TYPE_STATISTICS: Final = table("type_statistics")
APP_VERSIONS: Final = table("app_versions")
