"""What a database does for the queue: the tables, the protocols of a store, wake-ups."""

from modhost_background_jobs.storage.dialects import is_integrity_error
from modhost_background_jobs.storage.signals import Signal, wait_for
from modhost_background_jobs.storage.store import JobStore
from modhost_background_jobs.storage.wakeups import Wakeups, open_wakeups

__all__ = ["JobStore", "Signal", "Wakeups", "is_integrity_error", "open_wakeups", "wait_for"]
