"""Cancelling or retrying all jobs of a search, as a job: with progress, a log and a stop."""

from typing import Any, ClassVar, Final

from modhost.audit import AuditLog
from modhost.database import Database
from modhost_background_jobs.bulk.changes import BulkChange, BulkChanges, Change
from modhost_background_jobs.contracts import BackgroundJobs, JobExecutionContext, JobId, ModuleJob
from modhost_background_jobs.queries.job_search import JobSearch

BATCH_SIZE: Final = 100
MAX_COUNTED: Final = 1_000_000


class ChangeManyJobs(ModuleJob):
    """Goes from the newest job to the oldest; run again, it finds the changed ones changed."""

    max_attempts: ClassVar[int | None] = 5
    data_model: ClassVar[Any] = BulkChange

    def __init__(self, many: BulkChanges) -> None:
        self._many = many

    async def execute(self, context: JobExecutionContext) -> None:
        """Change batch after batch until there are no more, or until it is cancelled."""
        asked = context.get_data(BulkChange)
        count = await self._many.count(asked.change, asked.search, asked.last, MAX_COUNTED)
        asked_by = await self._many.asked_by(context.job_id)
        total = f"{count.number}{'' if count.is_all else ' or more'}"
        context.log(f"{asked.change.value}: {total} jobs match; asked for by {asked_by}")
        done = left_alone = 0
        below, has_more = None, True
        while has_more:
            ids, below = await self._many.next_ids(asked, below, BATCH_SIZE)
            has_more = below is not None
            changed = await self._many.change(asked.change, ids)
            done += changed.done
            left_alone += changed.left_alone
            context.report_progress(
                min(99, 100 * done // max(count.number, 1)), f"{done} jobs done"
            )
        context.log(f"{done} jobs done; {left_alone} were over or gone before their turn")
        context.report_progress(100, f"{done} jobs done")


class BulkOrders:
    """Puts operations into the queue."""

    def __init__(
        self, database: Database, jobs: BackgroundJobs, many: BulkChanges, audit: AuditLog
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._many = many
        self._audit = audit

    async def order(self, change: Change, search: JobSearch) -> JobId:
        """Order the change of all jobs that match now; return the job that is its record.

        The order and its entry in the audit exist both, or neither.
        """
        order = self._many.now_asked(change, search)
        async with self._database.session() as session:
            job_id = await self._jobs.enqueue(ChangeManyJobs, order, session=session)
            await self._audit.record(
                f"jobs.{change.value}_many",
                f"job:{job_id}",
                detail=f"all of the search {search.as_query()}",
                session=session,
            )
        return job_id
