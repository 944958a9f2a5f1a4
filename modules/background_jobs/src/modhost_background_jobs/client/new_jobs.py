"""New jobs of what callers ask for: checked, with their data as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from modhost import new_id
from modhost.events import Event
from modhost_background_jobs.client.call_flow import CallFlow, call_flow
from modhost_background_jobs.client.limits import attempts, bounded, timeout_seconds
from modhost_background_jobs.contracts import InvalidJobData, ModuleJob
from modhost_background_jobs.model import JobTypes, NewJob
from modhost_background_jobs.model.data.job_data import to_stored
from modhost_background_jobs.model.data.summaries import summary_of
from modhost_background_jobs.model.workflow import Node
from modhost_background_jobs.options import BackgroundJobsOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the jobs of one call share; `BackgroundJobs.enqueue` describes each."""

    flow: CallFlow
    max_attempts: int | None
    timeout: timedelta | None
    enqueued_by: str | None
    now: datetime


class NewJobs:
    """Makes jobs to store. Its errors are those of `BackgroundJobs.enqueue`."""

    def __init__(self, types: JobTypes, options: BackgroundJobsOptions) -> None:
        self._types = types
        self._options = options

    def flow_of(
        self,
        job: type[ModuleJob],
        queue: str | None,
        priority: int | None,
        tags: Sequence[str],
    ) -> CallFlow:
        """Return the flow control of the jobs of one call."""
        return call_flow(self._types.of_class(job), queue, priority, tags)

    def make(
        self,
        asked: Asked,
        data: Any,
        execute_at: datetime | None = None,
        job_id: UUID | None = None,
        node: Node | None = None,
    ) -> NewJob:
        """Return a job with these data, which is due at `execute_at`, by default now."""
        registered = asked.flow.registered
        job = registered.job_class
        if job_id is not None and not isinstance(job_id, UUID):
            raise InvalidJobData(
                f"job_id is {ascii(job_id)[:60]}; give a UUID of modhost.new_id()."
            )
        stored = bounded(to_stored(data, job.data_model), self._options.max_data_size)
        return NewJob(
            id=job_id or new_id(),
            job_type=registered.job_type,
            module_name=registered.module_name,
            module_version=registered.module_version,
            data=stored,
            created_at=asked.now,
            execute_at=execute_at or asked.now,
            max_attempts=attempts(asked.max_attempts, job.max_attempts, self._options.max_attempts),
            timeout_seconds=timeout_seconds(asked.timeout, job.timeout),
            enqueued_by=asked.enqueued_by,
            summary=summary_of(job, data, stored),
            flow=asked.flow.of(data, stored),
            node=node,
        )

    def of_event(
        self, event: Event, subscriber: type[ModuleJob], enqueued_by: str | None, now: datetime
    ) -> NewJob:
        """Return the job of a class that subscribed to an event."""
        flow = self.flow_of(subscriber, None, None, ())
        asked = Asked(flow=flow, max_attempts=None, timeout=None, enqueued_by=enqueued_by, now=now)
        return self.make(asked, event)
