"""Workers, and what finished on them."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, text
from sqlmodel import Field

from modhost.database import UtcDateTime
from modhost_background_jobs.storage.tables.base import BackgroundJobsTable, table


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
    unresponsive: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    max_concurrency: int
    job_types: str
    queues: str = Field(default="*", sa_column_kwargs={"server_default": "*"})


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


WORKERS: Final = table("workers")
STATISTICS: Final = table("statistics")
