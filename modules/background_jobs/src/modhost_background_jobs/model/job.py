"""A job as it is enqueued."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to insert as `Pending`; `timeout` is in seconds."""

    id: UUID
    job_type: str
    module_name: str
    data: str | None
    created_at: datetime
    execute_at: datetime
    max_attempts: int
    timeout: float | None = None
    recurring_job_id: UUID | None = None
    enqueued_by: str | None = None
