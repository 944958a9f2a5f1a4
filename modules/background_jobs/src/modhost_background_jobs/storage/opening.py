"""Which store fits the database."""

from modhost.database import Database
from modhost_background_jobs.storage.postgres.notifications import Notifications
from modhost_background_jobs.storage.postgres.store import PostgresJobStore
from modhost_background_jobs.storage.sqlite.store import SqliteJobStore
from modhost_background_jobs.storage.store import JobStore


def open_store(database: Database, notifications: Notifications | None = None) -> JobStore:
    """Return the store that speaks to this database."""
    if database.dialect == "postgresql":
        return PostgresJobStore(database.postgres, notifications)
    return SqliteJobStore(database.sqlite)
