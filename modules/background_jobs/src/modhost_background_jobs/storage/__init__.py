"""What a database does for the queue: the tables, the protocol of a store, wake-ups."""

from modhost_background_jobs.storage.clocks.shared_clock import GuardedClock, QueueClock
from modhost_background_jobs.storage.dialects import is_integrity_error
from modhost_background_jobs.storage.flow import LaneStore, Turns
from modhost_background_jobs.storage.opening import open_lane_store, open_store, open_wakeups
from modhost_background_jobs.storage.store import JobsLocked, JobStore
from modhost_background_jobs.storage.wakeups import Signal, Wakeups, wait_for

__all__ = [
    "GuardedClock",
    "JobStore",
    "JobsLocked",
    "LaneStore",
    "QueueClock",
    "Signal",
    "Turns",
    "Wakeups",
    "is_integrity_error",
    "open_lane_store",
    "open_store",
    "open_wakeups",
    "wait_for",
]
