"""Changes of many jobs: some at once, all jobs of a search by a background job."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

import anyio

from modhost import new_id
from modhost.audit import AuditLog
from modhost.database import Database, may_pass
from modhost.failures import describe
from modhost_background_jobs.bulk.change import BulkChange, Change, change_one
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobConflict,
    JobExecutionContext,
    JobId,
    JobNotFound,
    ModuleJob,
    Snooze,
)
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.search import Count, JobBrowser, Kinds, Search
from modhost_background_jobs.queries.search.job_search import JobSearch

LOCK_SECONDS: Final = 2.0
AWAY: Final = timedelta(seconds=5)
"""After how long a change continues that the database has interrupted."""
BATCH_SIZE: Final = 100
MAX_CONFIRMED: Final = 10_000
"""Where counting ends before a person is asked to confirm."""
MAX_COUNTED: Final = 1_000_000
"""Where counting ends before all jobs of a search are changed."""


@dataclass(frozen=True, slots=True)
class Changed:
    """How many jobs were changed, and how many were no longer in a state to be."""

    done: int
    left_alone: int
    locked: tuple[UUID, ...] = ()
    """Jobs that somebody else has locked, and that are to be tried again."""


class BulkChanges:
    """Counts, and changes, the jobs of a search, `batch_size` at a time.

    `lock_seconds` is how long one that somebody else has locked is waited for.
    """

    def __init__(
        self,
        browser: JobBrowser,
        jobs: BackgroundJobs,
        queries: BackgroundJobsContracts,
        *,
        batch_size: int = BATCH_SIZE,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self.batch_size = batch_size
        self.lock_seconds = lock_seconds
        self._browser = browser
        self._jobs = jobs
        self._queries = queries

    async def count(
        self,
        change: Change,
        search: JobSearch,
        last: UUID | None = None,
        limit: int = MAX_CONFIRMED,
    ) -> Count:
        """Return how many jobs of the search can be changed; counting ends at `limit`."""
        changed = _search(change, search, last)
        return await self._browser.count(changed, limit) if changed else Count(0, is_all=True)

    async def kinds(self, change: Change, search: JobSearch, ids: Collection[UUID] = ()) -> Kinds:
        """Return what would be changed by state and type: of these jobs, or of a whole search.

        Of a search those that can be changed are counted, up to `MAX_CONFIRMED`.
        """
        if ids:
            return await self._browser.kinds_of(ids)
        changed = _search(change, search, None)
        if changed is None:
            return Kinds([], is_all=True)
        return await self._browser.count_kinds(changed, MAX_CONFIRMED)

    async def change(
        self, change: Change, ids: Collection[UUID], execute_at: datetime | None = None
    ) -> Changed:
        """Change these jobs, one after the other; pass over those that are locked."""
        done = 0
        locked = []
        for id_ in ids:
            with anyio.move_on_after(self.lock_seconds) as patience:
                done += await self._change_one(change, JobId(id_), execute_at)
            if patience.cancelled_caught:
                locked.append(id_)
        return Changed(done, len(ids) - done - len(locked), tuple(locked))

    async def _change_one(self, change: Change, job_id: JobId, execute_at: datetime | None) -> bool:
        """Change a job; return whether that was possible."""
        try:
            await change_one(change, job_id, self._jobs, self._queries, execute_at)
        except (JobNotFound, JobConflict):
            return False
        return True

    async def next_ids(
        self, request: BulkChange, below: UUID | None
    ) -> tuple[list[UUID], UUID | None]:
        """Return the ids of the next batch, in falling order, and below which there may be more."""
        search = _search(request.change, request.search, request.last)
        if search is None:
            return [], None
        return await self._browser.ids_below(search, below, self.batch_size)


def _search(change: Change, search: JobSearch, last: UUID | None) -> Search | None:
    """Return the search for those that can be changed; None when none of its states can be."""
    found = search.as_search(last)
    states = tuple(filter(found.has, change.states))
    return replace(found, states=states) if states else None


class ChangeManyJobs(ModuleJob):
    """Goes from the newest job to the oldest; run again, it finds the changed ones changed."""

    max_attempts: ClassVar[int | None] = 5
    data_model: ClassVar[Any] = BulkChange

    def __init__(self, bulk: BulkChanges, listing: JobListing) -> None:
        self._bulk = bulk
        self._listing = listing

    async def execute(self, context: JobExecutionContext) -> None:
        """Change batch after batch until there are no more, or until it is cancelled.

        Somebody has asked for it: however long the database is away, no attempt is spent.
        """
        try:
            await self._change_all(context)
        except Exception as error:
            if may_pass(error):
                raise Snooze(AWAY, f"the database does not work ({describe(error)})") from error
            raise

    async def _change_all(self, context: JobExecutionContext) -> None:
        request = context.get_data(BulkChange)
        count = await self._bulk.count(request.change, request.search, request.last, MAX_COUNTED)
        # The row of the job says who enqueued it, which nobody can edit as they can its data.
        row = await self._listing.find(context.job_id)
        caller = (row and row.enqueued_by) or "an unknown caller"
        total = f"{count.number}{'' if count.is_all else ' or more'}"
        context.log(f"{request.change.value}: {total} jobs match; requested by {caller}")
        doing = f"{request.change.doing} {total} jobs…"
        context.report_progress(0, doing)
        done = left_alone = 0
        below, has_more = None, True
        locked: list[UUID] = []
        while has_more or locked:
            if has_more:
                ids, below = await self._bulk.next_ids(request, below)
                has_more = below is not None
            else:
                ids, locked = locked, []
            changed = await self._bulk.change(request.change, ids, request.execute_at)
            locked += changed.locked
            done += changed.done
            left_alone += changed.left_alone
            context.report_progress(
                min(99, 100 * done // max(count.number, 1)), f"{doing} {done} done"
            )
        left = f"{left_alone} were in another state, still needed or gone before their turn"
        context.log(f"{done} jobs done; {left}")
        context.report_progress(100, f"{done} jobs done")


class BulkRequests:
    """Enqueues changes of all jobs of a search."""

    def __init__(self, database: Database, jobs: BackgroundJobs, audit: AuditLog) -> None:
        self._database = database
        self._jobs = jobs
        self._audit = audit

    async def enqueue(
        self, change: Change, search: JobSearch, execute_at: datetime | None = None
    ) -> JobId:
        """Enqueue the change of all jobs that match now; return the job that does it.

        Jobs that are enqueued later are left alone. The request and its entry in the audit log are
        committed together. `execute_at` is the time to reschedule to.
        """
        request = BulkChange(change=change, search=search, last=new_id(), execute_at=execute_at)
        conditions: dict[str, str] = {}
        for name, value in search.as_query():
            conditions[name] = f"{conditions[name]}, {value}" if name in conditions else value
        async with self._database.session() as session:
            job_id = await self._jobs.enqueue(ChangeManyJobs, request, session=session)
            await self._audit.record(
                f"jobs.{change.value}_many",
                f"job:{job_id}",
                detail=f"all of the search {conditions}",
                session=session,
            )
        return job_id
