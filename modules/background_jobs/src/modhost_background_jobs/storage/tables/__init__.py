"""The tables of background jobs, in a schema and a registry of their own."""

from modhost_background_jobs.storage.tables.base import SCHEMA, BackgroundJobsTable
from modhost_background_jobs.storage.tables.flow import (
    GRANTS,
    JOB_TAGS,
    LIMIT_KEYS,
    LIMITS,
    PAUSES,
    UNIQUE_PERIODS,
)
from modhost_background_jobs.storage.tables.jobs import (
    ATTEMPTS,
    FINISHED,
    HAD_TURN,
    IN_LANE,
    IS_UNIQUE,
    IS_WAITING,
    JOB_WORDS,
    JOBS,
    LARGE_DATA,
    LOGS,
    PLACE,
    FinishedJob,
    Job,
    JobColumns,
)
from modhost_background_jobs.storage.tables.schedules import OCCURRENCES, SCHEDULES
from modhost_background_jobs.storage.tables.searches import SAVED_SEARCHES
from modhost_background_jobs.storage.tables.workers import (
    APP_VERSIONS,
    DEPARTED,
    STATISTICS,
    TYPE_STATISTICS,
    WORKERS,
)
from modhost_background_jobs.storage.tables.workflows import (
    CONDITIONS,
    DEPENDENCIES,
    STEPS,
    WORKFLOWS,
)

__all__ = [
    "APP_VERSIONS",
    "ATTEMPTS",
    "CONDITIONS",
    "DEPARTED",
    "DEPENDENCIES",
    "FINISHED",
    "GRANTS",
    "HAD_TURN",
    "IN_LANE",
    "IS_UNIQUE",
    "IS_WAITING",
    "JOBS",
    "JOB_TAGS",
    "JOB_WORDS",
    "LARGE_DATA",
    "LIMITS",
    "LIMIT_KEYS",
    "LOGS",
    "OCCURRENCES",
    "PAUSES",
    "PLACE",
    "SAVED_SEARCHES",
    "SCHEDULES",
    "SCHEMA",
    "STATISTICS",
    "STEPS",
    "TYPE_STATISTICS",
    "UNIQUE_PERIODS",
    "WORKERS",
    "WORKFLOWS",
    "BackgroundJobsTable",
    "FinishedJob",
    "Job",
    "JobColumns",
]
