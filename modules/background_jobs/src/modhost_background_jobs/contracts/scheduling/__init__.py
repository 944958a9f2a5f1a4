"""What producers of jobs call: enqueue, schedule and cancel, once or again and again."""

from modhost_background_jobs.contracts.scheduling.definitions import (
    CatchUpPolicy,
    OverlapPolicy,
    RecurringDefinition,
)
from modhost_background_jobs.contracts.scheduling.from_thread import JobsFromThread
from modhost_background_jobs.contracts.scheduling.jobs import BackgroundJobs
from modhost_background_jobs.contracts.scheduling.recurring import RecurringScheduling

__all__ = [
    "BackgroundJobs",
    "CatchUpPolicy",
    "JobsFromThread",
    "OverlapPolicy",
    "RecurringDefinition",
    "RecurringScheduling",
]
