"""The contract for workflows: jobs that wait for the ends of others."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import (
    Any,
    Literal,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.ids import JobId, WorkflowId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.states import WorkflowState

Data = TypeVar("Data")
RunWhen: TypeAlias = Literal["succeeded", "failed", "finished"]
"""After which ends a job runs: all succeeded, one failed or was cancelled, or all finished."""


@dataclass(frozen=True, slots=True)
class WorkflowNode:
    """A job that was added to a workflow.

    Attributes:
        job_id: the id that the job has once the workflow is stored.

    """

    job_id: JobId


After: TypeAlias = JobId | WorkflowNode | Sequence[JobId | WorkflowNode]
"""The job, or the jobs, that one waits for."""


class NodeOptions(TypedDict, total=False):
    """What `add` takes besides the job and its data; `Workflow.add` describes each."""

    after: After
    when: RunWhen
    max_attempts: int | None
    timeout: timedelta | None
    queue: str | None
    priority: int | None
    tags: Sequence[str]


class Workflow(Protocol):
    """A workflow that is being written down."""

    @property
    def id(self) -> WorkflowId:
        """The id of the workflow."""

    @overload
    def add(
        self, job: type[ModuleJob[Data, Any]], data: Data, **options: Unpack[NodeOptions]
    ) -> WorkflowNode: ...

    @overload
    def add(
        self, job: type[ModuleJob[None, Any]], data: None = None, **options: Unpack[NodeOptions]
    ) -> WorkflowNode: ...

    def add(
        self,
        job: type[ModuleJob],
        data: Any = None,
        *,
        after: After = (),
        when: RunWhen = "succeeded",
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
    ) -> WorkflowNode:
        """Add a job, which is stored with all others when the block ends.

        A job whose condition can no longer come true is cancelled, with the reason; to those that
        wait for it, that is a cancellation like any other.

        Args:
            job: the class of the job, which a module registered with `add_module_job`.
            data: the job's input; see `BackgroundJobs.enqueue`.
            after: the nodes, or jobs that exist already, which it waits for; none by default.
            when: `succeeded`: all of them completed, `failed`: one of them failed or was cancelled,
                or `finished`: all of them have finished.
            max_attempts: attempts before the job fails, 1 to 1,000,000; see `enqueue`.
            timeout: how long one attempt may take, up to 36,500 days; see `enqueue`.
            queue: the queue that the job waits in once it may run; see `enqueue`.
            priority: -100 to 100, higher first; see `enqueue`.
            tags: words that people find the job by; see `enqueue`.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: for the reasons that `enqueue` gives.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: `after` is neither a node nor an id, `when` is unknown, or the block
                has ended.

        """


class WorkflowSummary(BaseModel):
    """A workflow in a list.

    `cancelled` are the jobs that somebody has cancelled and those whose condition did not come
    true; `pending` are those that wait, for others or for a worker.
    """

    model_config = ConfigDict(from_attributes=True)

    id: WorkflowId
    name: str
    state: WorkflowState
    created_at: datetime
    completed_at: datetime | None
    total: int
    completed: int
    failed: int
    cancelled: int
    running: int
    pending: int


class Workflows(Protocol):
    """Store, cancel and retry workflows."""

    def workflow(
        self, name: str, *, session: AsyncSession | None = None
    ) -> AbstractAsyncContextManager[Workflow]:
        """Write a workflow down: all jobs that the block adds are stored when it ends, or none.

        Args:
            name: what people call it: 1 to 200 printable characters; it need not be unique.
            session: makes the workflow part of the caller's transaction; see `enqueue`.

        Returns:
            The block, which gives a `Workflow` to add jobs to.

        Raises:
            InvalidWorkflow: the name is out of bounds, or, when the block ends, a job of a `unique`
                class cannot be stored since another job has its key; nothing is stored then.
            JobNotFound: when the block ends: a job that another one is to wait for does not exist.

        """

    async def get_workflow(self, workflow_id: WorkflowId) -> WorkflowSummary | None:
        """Return a workflow with the counts of its jobs, or None when there is no such workflow.

        Args:
            workflow_id: the workflow to read.

        """

    async def cancel_workflow(self, workflow_id: WorkflowId) -> WorkflowSummary:
        """Cancel all pending jobs of a workflow, and ask those that run to stop.

        Args:
            workflow_id: the workflow to cancel.

        Returns:
            The workflow: `Cancelled` or `Failed`, or `Running` until the last job has stopped.

        Raises:
            JobNotFound: there is no such workflow.
            WorkflowConflict: all of its jobs have finished.

        """

    async def retry_workflow(self, workflow_id: WorkflowId) -> WorkflowSummary:
        """Retry all failed jobs of a workflow, and revive what was cancelled because of them.

        Args:
            workflow_id: the workflow to retry.

        Returns:
            The workflow, which is `Running`.

        Raises:
            JobNotFound: there is no such workflow.
            WorkflowConflict: none of its jobs has failed.

        """
