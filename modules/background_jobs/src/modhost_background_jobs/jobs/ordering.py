"""Ordering a change of many jobs, which a host then carries out on its own."""

from modhost.audit import AuditLog
from modhost.database import Database
from modhost_background_jobs.contracts import BackgroundJobs, JobId
from modhost_background_jobs.jobs.change_many_jobs import ChangeManyJobs
from modhost_background_jobs.services.many_jobs import Change, ManyJobs
from modhost_background_jobs.services.searching import JobSearch


class Operations:
    """Puts operations into the queue."""

    def __init__(
        self, database: Database, jobs: BackgroundJobs, many: ManyJobs, audit: AuditLog
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
