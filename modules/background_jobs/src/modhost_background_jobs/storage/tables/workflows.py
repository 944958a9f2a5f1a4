"""Workflows: jobs that wait for the ends of others, on which condition, and the steps of jobs."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field

from modhost.database import Identifier, UtcDateTime
from modhost_background_jobs.storage.tables.base import BackgroundJobsTable, index, table


class Workflow(BackgroundJobsTable, table=True):
    """Jobs that were stored together, counted as they end.

    `outcome` is None while some of its jobs are unfinished. `stopped` are those of the `cancelled`
    ones that somebody has cancelled, and not the condition that they waited for.
    """

    __tablename__ = "workflows"
    __table_args__ = (index("workflows_outcome", "outcome", "id"),)

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str | None = None
    total: int
    unfinished: int
    failed: int = 0
    cancelled: int = 0
    stopped: int = 0
    outcome: str | None = None
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Dependency(BackgroundJobsTable, table=True):
    """A job that another one waits for, in the order in which they were named."""

    __tablename__ = "job_dependencies"
    __table_args__ = (index("job_dependencies_after", "after_id"),)

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    position: int = Field(primary_key=True)
    after_id: UUID = Field(sa_type=Identifier)


class Condition(BackgroundJobsTable, table=True):
    """On which ends of others a job runs; `verdict` is None as long as that is open."""

    __tablename__ = "job_conditions"

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    run_when: str
    unfinished: int
    verdict: str | None = None


class Step(BackgroundJobsTable, table=True):
    """What a step of a job has returned, so that no later attempt does it again."""

    __tablename__ = "job_steps"

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str = Field(primary_key=True)
    number: int
    fence: int = Field(sa_type=BigInteger)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    result: str | None = None


WORKFLOWS: Final = table("workflows")
DEPENDENCIES: Final = table("job_dependencies")
CONDITIONS: Final = table("job_conditions")
STEPS: Final = table("job_steps")
