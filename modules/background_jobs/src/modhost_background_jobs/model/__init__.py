"""One job, one schedule, one worker as typed values; job data and job types. No SQL."""

from modhost_background_jobs.model.attempt import (
    START,
    ClaimedJob,
    Ended,
    Lease,
    LogLine,
    Place,
    ProgressUpdate,
    Released,
    leases_to_forget,
)
from modhost_background_jobs.model.job import JobRow, NewJob
from modhost_background_jobs.model.job_types import JobTypes
from modhost_background_jobs.model.schedule import (
    DueSchedules,
    ScheduleDefinition,
    ScheduleRow,
)
from modhost_background_jobs.model.worker import (
    UNREGISTERED,
    CurrentWorker,
    Heartbeat,
    Rescue,
    WorkerInfo,
    WorkerRow,
    as_bulk_runner,
    first_beat,
    is_bulk_runner,
    is_last_chance,
    is_suspect,
    lost_attempt_error,
    quarantine_error,
)

__all__ = [
    "START",
    "UNREGISTERED",
    "ClaimedJob",
    "CurrentWorker",
    "DueSchedules",
    "Ended",
    "Heartbeat",
    "JobRow",
    "JobTypes",
    "Lease",
    "LogLine",
    "NewJob",
    "Place",
    "ProgressUpdate",
    "Released",
    "Rescue",
    "ScheduleDefinition",
    "ScheduleRow",
    "WorkerInfo",
    "WorkerRow",
    "as_bulk_runner",
    "first_beat",
    "is_bulk_runner",
    "is_last_chance",
    "is_suspect",
    "leases_to_forget",
    "lost_attempt_error",
    "quarantine_error",
]
