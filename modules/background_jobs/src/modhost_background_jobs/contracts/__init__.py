"""The public API of background jobs: all that other modules import from it."""

from modhost_background_jobs.contracts.errors import (
    BackgroundJobsError,
    InvalidCronExpression,
    InvalidFlow,
    InvalidJobData,
    JobCancelled,
    JobConflict,
    JobDataError,
    JobNotFound,
    PermanentJobError,
    ResultNotAvailable,
    Snooze,
    UnknownTimeZone,
    UnregisteredJob,
)
from modhost_background_jobs.contracts.flow import Concurrency, Fair, FlowControl, Rate, Unique
from modhost_background_jobs.contracts.ids import JobId, RecurringJobId
from modhost_background_jobs.contracts.job import Executor, JobExecutionContext, ModuleJob
from modhost_background_jobs.contracts.models import (
    JobAttempt,
    JobDetail,
    JobFilter,
    JobLogEntry,
    JobStatus,
    JobSummary,
    PagedResult,
    RecurringJob,
)
from modhost_background_jobs.contracts.querying import BackgroundJobsContracts
from modhost_background_jobs.contracts.registration import RegisteredJob, add_module_job
from modhost_background_jobs.contracts.scheduling import (
    BackgroundJobs,
    CatchUpPolicy,
    OverlapPolicy,
    RecurringDefinition,
    RecurringScheduling,
)
from modhost_background_jobs.contracts.states import JobState

__all__ = [
    "BackgroundJobs",
    "BackgroundJobsContracts",
    "BackgroundJobsError",
    "CatchUpPolicy",
    "Concurrency",
    "Executor",
    "Fair",
    "FlowControl",
    "InvalidCronExpression",
    "InvalidFlow",
    "InvalidJobData",
    "JobAttempt",
    "JobCancelled",
    "JobConflict",
    "JobDataError",
    "JobDetail",
    "JobExecutionContext",
    "JobFilter",
    "JobId",
    "JobLogEntry",
    "JobNotFound",
    "JobState",
    "JobStatus",
    "JobSummary",
    "ModuleJob",
    "OverlapPolicy",
    "PagedResult",
    "PermanentJobError",
    "Rate",
    "RecurringDefinition",
    "RecurringJob",
    "RecurringJobId",
    "RecurringScheduling",
    "RegisteredJob",
    "ResultNotAvailable",
    "Snooze",
    "Unique",
    "UnknownTimeZone",
    "UnregisteredJob",
    "add_module_job",
]
