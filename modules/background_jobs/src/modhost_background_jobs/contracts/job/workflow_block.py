"""A workflow that is being written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar, Unpack, overload

from modhost_background_jobs.contracts.ids import JobId, WorkflowId
from modhost_background_jobs.contracts.job.typed_job import TypedJob
from modhost_background_jobs.contracts.states import RunWhen

Data = TypeVar("Data")


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
    job_id: JobId | None


class Workflow(Protocol):
    """A workflow that is being written down."""

    @property
    def id(self) -> WorkflowId:
        """The id of the workflow."""

    @overload
    def add(
        self, job: type[TypedJob[Data, Any]], data: Data, **options: Unpack[NodeOptions]
    ) -> WorkflowNode: ...

    @overload
    def add(
        self, job: type[TypedJob[None, Any]], data: None = None, **options: Unpack[NodeOptions]
    ) -> WorkflowNode: ...

    def add(
        self,
        job: type[TypedJob],
        data: Any = None,
        *,
        after: After = (),
        when: RunWhen = "succeeded",
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        job_id: JobId | None = None,
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
            job_id: an id of the caller's own, which no job has yet; see `enqueue`.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: for the reasons that `enqueue` gives.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: `after` is neither a node nor an id, or names no job while `when` is
                `failed`; `when` is unknown, or the block has ended; when the block ends: a job has
                the id `job_id` already.

        """
