"""Running a job again as a new one, with its input edited."""

from uuid import UUID

from modhost.audit import AuditLog, recorded
from modhost.calling import current_caller
from modhost.clock import Clock
from modhost.ids import new_id
from modhost_background_jobs.contracts.errors import JobNotFound
from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.job_types import JobTypes
from modhost_background_jobs.queue.listing import JobListing
from modhost_background_jobs.queue.records import NewJob
from modhost_background_jobs.services.edited_input import UnreadableInput, read_edited


class Rerunning:
    """Makes new jobs after the model of old ones."""

    def __init__(
        self,
        listing: JobListing,
        queue: DatabaseJobQueue,
        types: JobTypes,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._listing = listing
        self._queue = queue
        self._types = types
        self._audit = audit
        self._clock = clock

    async def run_again(self, job_id: UUID, data: str) -> JobId:
        """Enqueue a job of the same type with other data (JSON text; empty for none).

        A secret whose mask was left as it is keeps its value. Raises `JobNotFound`, and
        `UnreadableInput` for data that the job could not read.
        """
        refusals = (JobNotFound, UnreadableInput)
        async with recorded(self._audit, "jobs.run_again", f"job:{job_id}", *refusals) as entry:
            new = await self._copy(job_id, data)
            await self._queue.enqueue([new])
            entry.detail = f"as job:{new.id}"
        return JobId(new.id)

    async def _copy(self, job_id: UUID, data: str) -> NewJob:
        row = await self._listing.find(job_id)
        if row is None:
            raise JobNotFound(job_id)
        now = self._clock.now()
        return NewJob(
            id=new_id(),
            job_type=row["job_type"],
            module_name=row["module_name"],
            data=read_edited(data, row["data"], self._types.model_of(row["job_type"])),
            created_at=now,
            execute_at=now,
            max_attempts=row["max_attempts"],
            timeout=row["timeout_seconds"],
            enqueued_by=(await current_caller()).person,
        )
