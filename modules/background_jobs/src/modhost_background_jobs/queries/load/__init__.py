"""The load of the queue, and the workers that bear it or did."""

from modhost_background_jobs.queries.load.queue_load import (
    MAX_COUNTED,
    Load,
    PendingJobs,
    QueueLoad,
    pending_jobs,
)

__all__ = ["MAX_COUNTED", "Load", "PendingJobs", "QueueLoad", "pending_jobs"]
