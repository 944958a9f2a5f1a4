"""Searches that people keep."""

from datetime import datetime
from typing import Final

from sqlmodel import Field

from modhost.database import UtcDateTime
from modhost_background_jobs.storage.tables.base import BackgroundJobsTable, table


class SavedSearch(BackgroundJobsTable, table=True):
    """A search of the list that somebody keeps under a name; `query` is its query string."""

    __tablename__ = "saved_searches"

    owner: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    query: str
    saved_at: datetime = Field(sa_type=UtcDateTime)


SAVED_SEARCHES: Final = table("saved_searches")
