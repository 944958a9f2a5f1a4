"""Running a job again as a new one, with its input edited."""

import json
from uuid import UUID

from modhost.audit import AuditLog, recorded
from modhost.calling import current_caller
from modhost.clock import Clock
from modhost.ids import new_id
from modhost_background_jobs.contracts.errors import InvalidJobData, JobNotFound
from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.queue.job_data import edited
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.listing import JobListing
from modhost_background_jobs.queue.records import NewJob


class Rerunning:
    """Makes new jobs after the model of old ones."""

    def __init__(
        self, listing: JobListing, queue: DatabaseJobQueue, audit: AuditLog, clock: Clock
    ) -> None:
        self._listing = listing
        self._queue = queue
        self._audit = audit
        self._clock = clock

    async def run_again(self, job_id: UUID, data: str) -> JobId:
        """Enqueue a job of the same type with other data (JSON text; empty for none).

        A secret whose mask was left as it is keeps its value. Raises `JobNotFound` and
        `InvalidJobData`.
        """
        row = await self._listing.find(job_id)
        if row is None:
            raise JobNotFound(job_id)
        now = self._clock.now()
        new = NewJob(
            id=new_id(),
            job_type=row["job_type"],
            module_name=row["module_name"],
            data=_checked(data, row["data"]),
            created_at=now,
            execute_at=now,
            max_attempts=row["max_attempts"],
            timeout=row["timeout_seconds"],
            enqueued_by=(await current_caller()).person,
        )
        async with recorded(self._audit, "jobs.run_again", f"job:{job_id}") as entry:
            await self._queue.enqueue([new])
            entry.detail = f"as job:{new.id}"
        return JobId(new.id)


def _checked(data: str, before: str | None) -> str | None:
    if not data.strip():
        return None
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        msg = f"The input is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        raise InvalidJobData(msg) from error
    if value is None:
        return None
    return json.dumps(edited(value, before), ensure_ascii=False, separators=(",", ":"))
