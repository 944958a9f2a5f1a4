"""Which store fits the database."""

from modhost.database import Database
from modhost_background_jobs.queue.notifying import Notifications
from modhost_background_jobs.queue.postgres_store import PostgresJobStore
from modhost_background_jobs.queue.sqlite_store import SqliteJobStore
from modhost_background_jobs.queue.store import JobStore


def open_store(database: Database, notifications: Notifications | None = None) -> JobStore:
    """Return the store that speaks to this database."""
    if database.dialect == "postgresql":
        return PostgresJobStore(database.postgres, notifications)
    return SqliteJobStore(database.sqlite)
