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
from modhost_background_jobs.queries.job_search import JobSearch
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.search import Count, JobBrowser, Search

MAX_COUNTED: Final = 10_000
"""So many jobs are counted before somebody is asked to confirm."""


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


class BulkChange(BaseModel):
    """The data of the job that changes all jobs of a search up to the id `last`."""

    change: Change
    search: JobSearch
    last: UUID


@dataclass(frozen=True, slots=True)
class Changed:
    """How many jobs were changed, and how many were no longer in a state to be."""

    done: int
    left_alone: int


class BulkChanges:
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

    async def count(
        self,
        change: Change,
        search: JobSearch,
        last: UUID | None = None,
        most: int = MAX_COUNTED,
    ) -> Count:
        """Return how many jobs of the search can be changed; counting ends at `most`."""
        counts = [await self._browser.count(each, most) for each in _searches(change, search, last)]
        number = sum(count.number for count in counts)
        is_all = number < most and all(count.is_all for count in counts)
        return Count(min(number, most), is_all)

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

    async def next_ids(
        self, asked: BulkChange, below: UUID | None, limit: int
    ) -> tuple[list[UUID], UUID | None]:
        """Return ids of jobs to change, in falling order, and below which there may be more."""
        pages = [
            await self._browser.older(search, below, limit)
            for search in _searches(asked.change, asked.search, asked.last)
        ]
        ids = sorted((row.id for each in pages for row in each.rows), reverse=True)
        unfinished = [each.older for each in pages if each.older is not None]
        if not unfinished:
            return ids, None
        # Below this id one of the states has not been looked through.
        end = max(unfinished)
        return [id_ for id_ in ids if id_ >= end], end

    def now_asked(self, change: Change, search: JobSearch) -> BulkChange:
        """Return the order to change what matches now; jobs that come later are left alone."""
        return BulkChange(change=change, search=search, last=new_id())

    async def asked_by(self, operation: JobId) -> str:
        """Return who enqueued an operation: its row says so, and nobody can edit that."""
        row = await self._listing.find(operation)
        return (row and row.enqueued_by) or "nobody who is known"


def _searches(change: Change, search: JobSearch, last: UUID | None) -> list[Search]:
    """Return one search for each state that can be changed, in the bounds of the search."""
    states = [state for state in change.states if search.state in (None, state)]
    return [search.model_copy(update={"state": state}).as_search(last) for state in states]
