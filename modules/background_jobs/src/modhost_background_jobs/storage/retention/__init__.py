"""Deleting what is old: jobs with all that belongs to them, due times, periods, workflows."""

from modhost.database import Database
from modhost_background_jobs.storage.retention.postgres import PostgresRetention
from modhost_background_jobs.storage.retention.sqlite import SqliteRetention
from modhost_background_jobs.storage.retention.store import RetentionStore

__all__ = ["RetentionStore", "open_retention"]


def open_retention(database: Database) -> RetentionStore:
    """Return what deletes in this database."""
    if database.dialect == "postgresql":
        return PostgresRetention(database.postgres)
    return SqliteRetention(database.sqlite)
