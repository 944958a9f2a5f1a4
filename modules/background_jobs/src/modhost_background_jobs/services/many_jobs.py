"""The same done to many jobs: a few at once, more than that by a background job."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from modhost.ids import new_id
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobConflict,
    JobId,
    JobNotFound,
    JobState,
)
from modhost_background_jobs.queue.browsing import JobBrowser, Search
from modhost_background_jobs.queue.listing import JobListing
from modhost_background_jobs.services.searching import JobSearch

MOST_COUNTED: Final = 100_000


class Change(StrEnum):
    """What can be done to many jobs."""

    CANCEL = "cancel"
    RETRY = "retry"

    @property
    def states(self) -> tuple[JobState, ...]:
        """The states of the jobs that it can be done to."""
        if self is Change.CANCEL:
            return (JobState.RUNNING, JobState.PENDING)
        return (JobState.FAILED,)


class ChangeOfMany(BaseModel):
    """The data of the job that changes all jobs of a search up to the id `last`."""

    change: Change
    search: JobSearch
    last: UUID


@dataclass(frozen=True, slots=True)
class Changed:
    """How many jobs were changed, and how many were no longer in a state to be."""

    done: int
    left_alone: int


class ManyJobs:
    """Counts, and changes, the jobs of a search."""

    def __init__(
        self,
        browser: JobBrowser,
        jobs: BackgroundJobs,
        queries: BackgroundJobsContracts,
        listing: JobListing,
    ) -> None:
        self._browser = browser
        self._jobs = jobs
        self._queries = queries
        self._listing = listing

    async def count(self, change: Change, search: JobSearch, last: UUID | None = None) -> int:
        """Return how many jobs of the search can be changed; counting ends at `MOST_COUNTED`."""
        counts = [
            await self._browser.count(each, MOST_COUNTED)
            for each in _searches(change, search, last)
        ]
        return min(sum(counts), MOST_COUNTED)

    async def change(self, change: Change, ids: Collection[UUID]) -> Changed:
        """Change these jobs, one after the other."""
        done = 0
        for id_ in ids:
            try:
                if change is Change.CANCEL:
                    await self._jobs.cancel(JobId(id_))
                else:
                    await self._queries.retry(JobId(id_))
            except (JobNotFound, JobConflict):
                continue
            done += 1
        return Changed(done, len(ids) - done)

    async def next_ids(self, asked: ChangeOfMany, below: UUID | None, limit: int) -> list[UUID]:
        """Return the ids of jobs to change, in falling order; `below` is where to go on."""
        found: list[UUID] = []
        for search in _searches(asked.change, asked.search, asked.last):
            stretch = await self._browser.older(search, below, limit)
            found += [row["id"] for row in stretch.rows]
        return sorted(found, reverse=True)[:limit]

    def now_asked(self, change: Change, search: JobSearch) -> ChangeOfMany:
        """Return the order to change what matches now; jobs that come later are left alone."""
        return ChangeOfMany(change=change, search=search, last=new_id())

    async def asked_by(self, operation: JobId) -> str:
        """Return who enqueued an operation: its row says so, and nobody can edit that."""
        row = await self._listing.find(operation)
        return (row and row["enqueued_by"]) or "nobody who is known"


def _searches(change: Change, search: JobSearch, last: UUID | None) -> list[Search]:
    """Return one search for each state that can be changed, in the bounds of the search."""
    states = [state for state in change.states if search.state in (None, state)]
    return [search.model_copy(update={"state": state}).as_search(last) for state in states]
