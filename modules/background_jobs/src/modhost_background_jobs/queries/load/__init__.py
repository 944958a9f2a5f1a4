"""The load of the queue, and the workers that bear it or did."""

from modhost_background_jobs.queries.load.queue_load import (
    MAX_COUNTED,
    Load,
    PendingJobs,
    QueueLoad,
    pending_jobs,
)
from modhost_background_jobs.queries.load.workers import Departures

__all__ = ["MAX_COUNTED", "Departures", "Load", "PendingJobs", "QueueLoad", "pending_jobs"]
