"""Looking through jobs, for people."""

from collections.abc import Collection
from uuid import UUID

from modhost_background_jobs.queue.browsing import JobBrowser, Stretch
from modhost_background_jobs.queue.job_types import JobTypes
from modhost_background_jobs.queue.listing import Row
from modhost_background_jobs.queue.load import QueueLoad
from modhost_background_jobs.services.searching import JobSearch


class Browsing:
    """Reads the jobs of a search, the newest first."""

    def __init__(self, browser: JobBrowser, load: QueueLoad, types: JobTypes) -> None:
        self._browser = browser
        self._load = load
        self._types = types

    async def page(
        self,
        search: JobSearch,
        *,
        limit: int,
        before: UUID | None = None,
        after: UUID | None = None,
    ) -> Stretch:
        """Return the newest jobs, or those next to one: older ones, or newer ones."""
        if after is not None:
            return await self._browser.newer(search.as_search(), after, limit)
        return await self._browser.older(search.as_search(), before, limit)

    async def by_ids(self, ids: Collection[UUID]) -> list[Row]:
        """Return the jobs with these ids, in no order."""
        return await self._browser.by_ids(ids)

    async def latest_failures(self, limit: int) -> list[Row]:
        """Return the jobs that failed last, the last one first."""
        return await self._browser.latest_failures(limit)

    async def types(self) -> list[str]:
        """Return the types of all jobs that there are or may be, by name."""
        waiting = [each.job_type for each in await self._load.waiting_types()]
        return sorted({*self._types.names, *waiting, *await self._browser.finished_types()})
