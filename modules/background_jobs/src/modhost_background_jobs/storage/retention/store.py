"""The protocol of what deletes old jobs, the same on both databases."""

from datetime import datetime
from typing import Protocol

from modhost_background_jobs.contracts import JobState


class RetentionStore(Protocol):
    """Deletes what is old, each batch one transaction."""

    async def prune(self, state: JobState, finished_before: datetime, limit: int) -> int:
        """Delete up to `limit` jobs that ended so before a time, with their logs and attempts."""

    async def forget_occurrences(self, before: datetime) -> int:
        """Delete the record of due times that fired before a time; return how many."""

    async def forget_periods(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` periods of unique jobs that ended before a time; return how many."""

    async def forget_workflows(self, completed_before: datetime, limit: int) -> int:
        """Delete up to `limit` workflows whose jobs are all deleted; return how many."""

    async def newest_end(self, before: datetime) -> datetime | None:
        """Return when the last job finished before a time; None without any."""
