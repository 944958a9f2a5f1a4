"""A job: what it is enqueued with, and its row as everybody reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from modhost.telemetry import trace_id_in
from modhost_background_jobs.contracts import JobAttempt, JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model.data.summaries import words_in
from modhost_background_jobs.model.flow import PLAIN, Flow, LimitKey
from modhost_background_jobs.model.workflow import Node

MAX_LISTED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueuedJob:
    """What a job is given when it is enqueued, besides its data; it changes with no attempt.

    Attributes:
        max_attempts: the attempts that the job is allowed, and is allowed anew by a retry.
        timeout_seconds: the longest time of one attempt; None for no limit.
        recurring_job_id: the schedule that the job is a run of.
        due_at: the due time of the schedule that it is the run of, whenever it runs.
        module_version: the version of its module where it was enqueued; None if that is unknown.
        enqueued_by: who enqueued it, e.g. `user:vera`; None for code of the host.
        summary: what it is about, as its class says; None where that says nothing.

    """

    id: UUID
    job_type: str
    module_name: str
    created_at: datetime
    execute_at: datetime
    max_attempts: int
    timeout_seconds: float | None = None
    recurring_job_id: UUID | None = None
    due_at: datetime | None = None
    module_version: str | None = None
    enqueued_by: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob(EnqueuedJob):
    """A job to insert as `Pending`; `data` is JSON, None for none.

    `traceparent` is the span that has enqueued it, by W3C Trace Context; None without a trace.
    """

    data: str | None
    flow: Flow = PLAIN
    node: Node | None = None
    traceparent: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it uses no flow control, waits for no other job, and has no trace or summary."""
        apart = (self.node, self.traceparent, self.summary)
        return self.flow is PLAIN and apart == (None, None, None)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its summary, by which it is found."""
        return words_in(self.summary or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow(EnqueuedJob):
    """A job as it is read, live or finished; its data, which may be large, is read by itself.

    Attributes:
        attempt: the number of the latest attempt, 0 before the first.
        attempts_left: what is left of the present allowance.
        fence: grows with every claim; a write that carries an older one is void.
        rescues: how often in a row the job was taken back from a dead worker.
        progress_at: when this attempt reported the percentage first.
        on_hold: whether it waits for an earlier run of its schedule, or for other jobs, whatever
            its due time.
        held_by: the key of a limit that it was held back by, as it is stored; None for none.
        lane: the pending jobs that it shares an order with, as it is stored; None for those that
            are found by their type.
        place_at: its place in that order where it is not by its due time.
        unique_key: what it must not be there twice by, as it is stored; None for nothing.
        fair_key: by which it takes turns with others of its type; None when they do not.
        workflow_id: the workflow that it belongs to.
        traceparent: the span that has enqueued it; None for a job without a trace.

    """

    state: JobState
    started_at: datetime | None
    completed_at: datetime | None
    cancel_requested_at: datetime | None
    attempt: int
    attempts_left: int
    fence: int
    rescues: int
    worker: str | None
    progress_percentage: int
    progress_message: str | None
    progress_at: datetime | None
    error: str | None
    on_hold: bool
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    tags: tuple[str, ...] = ()
    limits: tuple[LimitKey, ...] = ()
    held_by: str | None = None
    lane: str | None = None
    place_at: datetime | None = None
    unique_key: str | None = None
    fair_key: str | None = None
    workflow_id: UUID | None = None
    traceparent: str | None = None

    @property
    def trace_id(self) -> str | None:
        """The trace that it belongs to; None for none."""
        return trace_id_in(self.traceparent)

    @property
    def is_stopping(self) -> bool:
        """Whether a running job was asked to stop."""
        return self.cancel_requested_at is not None

    @property
    def retry_count(self) -> int:
        """How many attempts there were after the first one."""
        return max(0, self.attempt - 1)

    @property
    def waited(self) -> float | None:
        """The seconds that the latest attempt waited from its due time to its start."""
        if self.started_at is None:
            return None
        due_at = max(self.execute_at, self.created_at)
        return max(0.0, (self.started_at - due_at).total_seconds())

    @property
    def ran(self) -> float | None:
        """The seconds that the last attempt of a finished job ran."""
        if self.started_at is None or self.completed_at is None:
            return None
        return max(0.0, (self.completed_at - self.started_at).total_seconds())

    @property
    def latest_attempt(self) -> JobAttempt | None:
        """The attempt that is recorded in the job's own row: the running or the last one."""
        if self.started_at is None:
            return None
        return JobAttempt(
            number=self.attempt,
            started_at=self.started_at,
            ended_at=self.completed_at,
            worker=self.worker,
            error=self.error,
        )


def listed(ids: Sequence[UUID]) -> str:
    """Return ids of jobs for a line of a log: the first few, and how many more there are."""
    more = f" and {len(ids) - MAX_LISTED} more" if len(ids) > MAX_LISTED else ""
    return ", ".join(map(str, ids[:MAX_LISTED])) + more
