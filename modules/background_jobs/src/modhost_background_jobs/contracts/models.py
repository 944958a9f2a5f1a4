"""Jobs and recurring jobs as other modules and HTTP clients see them."""

from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from modhost_background_jobs.contracts.ids import JobId, RecurringJobId, WorkflowId
from modhost_background_jobs.contracts.states import JobState, RunWhen

Item = TypeVar("Item")


def _storable(text: str | None) -> str | None:
    """Refuse what no database stores, and so no job has."""
    if text is not None and ("\x00" in text or text != text.encode("utf-8", "ignore").decode()):
        raise ValueError("it contains a NUL or an unpaired surrogate, which no text of a job has.")
    return text


class JobFilter(BaseModel):
    """Which jobs to list: newest first, `page` counted from 1, or those older than `after`.

    Jobs that arrive move those of later pages, so that some are on two of them. To read all, give
    the `next` of each result as the next `after`, until it is None.

    Attributes:
        state: the state of the jobs, or several of which they have any; None for any at all.
        job_type: their type.
        queue: the queue that they are in.
        tag: one of their tags.

    """

    state: JobState | tuple[JobState, ...] | None = None
    job_type: Annotated[str | None, AfterValidator(_storable)] = None
    queue: Annotated[str | None, AfterValidator(_storable)] = None
    tag: Annotated[str | None, AfterValidator(_storable)] = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    after: JobId | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.after is not None and self.page != 1:
            raise ValueError("give page or after, and not both: after is a place by itself.")
        return self


class PagedResult(BaseModel, Generic[Item]):
    """One page of a longer list; `next` is where the rest of it begins, None at its end.

    Conditions that have no index together are checked of a bounded number of jobs: then a page may
    be short, or empty, before the end, and `total_count` counts among the newest 100,000.
    """

    items: list[Item]
    total_count: int
    page: int
    page_size: int
    next: JobId | None = None


class JobSummary(BaseModel):
    """A job in a list; `summary` is what it is about, None where its class says nothing."""

    model_config = ConfigDict(from_attributes=True)

    id: JobId
    job_type: str
    state: JobState
    progress_percentage: int
    progress_message: str | None
    created_at: datetime
    completed_at: datetime | None
    queue: str
    priority: int
    tags: tuple[str, ...]
    summary: str | None


class JobStatus(JobSummary):
    """The status of a job: `error` is that of its last attempt, or why it was skipped.

    `execute_at` is when it is, or was, due; after a failed attempt, when the next one is.
    """

    execute_at: datetime
    started_at: datetime | None
    error: str | None
    retry_count: int


class JobLogEntry(BaseModel):
    """A line that the job logged."""

    timestamp: datetime
    message: str


class JobAttempt(BaseModel):
    """One execution of a job; `error` is None while it runs and when it succeeded.

    One that spent nothing, since its worker stopped or died, has the same number as the next one.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None
    worker: str | None
    error: str | None


class JobAction(BaseModel):
    """What somebody did to a job, or to its workflow.

    Attributes:
        at: when.
        action: what: `cancel`, `retry`, `run_now`, `reschedule`, `run_again`, `cancel_workflow` or
            `retry_workflow`.
        by: who, e.g. `user:vera`, `token:ci (0199…)` or `command:root`; None for code of the host.
        detail: more of it, e.g. the new time; may be empty.
        bulk_job_id: the job that did it for them, among many; None for a single job.

    """

    at: datetime
    action: str
    by: str | None
    detail: str
    bulk_job_id: JobId | None


class JobStep(BaseModel):
    """A step that the job has taken: no later attempt takes it again."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    started_at: datetime
    ended_at: datetime


class JobDetail(JobStatus):
    """A job with its data, log, attempts and steps.

    `result` is what `execute` returned, as JSON; None before that, and for nothing.
    `due_at` is the due time that a run is for. `waiting_for` is a sentence that says why a pending
    job waits, and for what; None for others.
    A job that waits, or has waited, for others runs on the condition `when`, None where there is
    none, `after` the first 1,000 of them. `workflow_id` is the workflow that it belongs to,
    `trace_id` the trace by OpenTelemetry; None where nothing has traced its producer.
    """

    module_name: str
    data: Any
    result: Any
    logs: list[JobLogEntry]
    worker: str | None
    attempts: list[JobAttempt]
    steps: list[JobStep]
    recurring_job_id: RecurringJobId | None
    due_at: datetime | None
    waiting_for: str | None
    workflow_id: WorkflowId | None
    trace_id: str | None
    after: tuple[JobId, ...]
    when: RunWhen | None


class RecurringJob(BaseModel):
    """A recurring job; its name is unique within its module.

    `last_run_at` is the last start of a run, `last_due_at` the last due time, whether it was run
    or skipped, and `next_run_at` the next one: None while it is disabled. `problem` is what is
    wrong with the stored expression, zone or policies, and what to do.
    """

    model_config = ConfigDict(from_attributes=True)

    id: RecurringJobId
    name: str
    module_name: str
    job_type: str
    cron_expression: str
    time_zone: str
    is_enabled: bool
    last_run_at: datetime | None
    last_due_at: datetime | None
    next_run_at: datetime | None
    created_at: datetime
    problem: str | None
