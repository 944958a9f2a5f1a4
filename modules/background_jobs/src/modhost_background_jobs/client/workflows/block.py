"""The block in which a workflow is written down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast, get_args
from uuid import UUID

from modhost_background_jobs.client.limits import as_uuid
from modhost_background_jobs.client.new_jobs import Asked, NewJobs
from modhost_background_jobs.contracts import (
    InvalidWorkflow,
    JobId,
    ModuleJob,
    WorkflowId,
    WorkflowNode,
)
from modhost_background_jobs.contracts.job.typed_job import TypedJob
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.contracts.workflows import After
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.model.workflow import Node

LONGEST_NAME: Final = 200


class WorkflowBlock:
    """Implements `Workflow`, which describes each method."""

    def __init__(
        self, new_jobs: NewJobs, workflow_id: UUID, created_by: str | None, now: datetime
    ) -> None:
        self._new_jobs = new_jobs
        self._id = workflow_id
        self._created_by = created_by
        self._now = now
        self._has_ended = False
        self.jobs: list[NewJob] = []

    @property
    def id(self) -> WorkflowId:
        """The id of the workflow."""
        return WorkflowId(self._id)

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
        """Keep a job to store at the end."""
        if self._has_ended:
            raise InvalidWorkflow("The workflow's block has ended; add its jobs within it.")
        asked = Asked(
            flow=self._new_jobs.flow_of(cast("type[ModuleJob]", job), queue, priority, tags),
            max_attempts=max_attempts,
            timeout=timeout,
            enqueued_by=self._created_by,
            now=self._now,
        )
        node = node_of(after, when, self._id, is_named=job_id is not None)
        new = self._new_jobs.make(asked, data, job_id=job_id, node=node)
        self.jobs.append(new)
        return WorkflowNode(JobId(new.id))

    def end(self) -> list[NewJob]:
        """Return the jobs; none can be added any more."""
        self._has_ended = True
        return self.jobs


def checked_name(name: str) -> str:
    """Return the name of a workflow. Raises `InvalidWorkflow`."""
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidWorkflow(
            f"The name of the workflow is {ascii(name)[:80]}; give 1 to {LONGEST_NAME} printable "
            "characters."
        )
    return name


def node_of(
    after: After, when: RunWhen, workflow_id: UUID | None = None, *, is_named: bool = False
) -> Node | None:
    """Return what a job waits for; None for a job of no workflow that waits for none.

    Raises `InvalidWorkflow`.
    """
    if when not in get_args(RunWhen):
        raise InvalidWorkflow(f"when is {ascii(when)[:40]}; give one of {get_args(RunWhen)}.")
    one = isinstance(after, (UUID, WorkflowNode, str))
    given = [after] if one else after
    if not isinstance(given, Sequence):
        raise InvalidWorkflow(f"after is {ascii(after)[:60]}; give a node, a job's id, or several.")
    ids = tuple(dict.fromkeys(_id(each) for each in given))
    if not ids and when == "failed":
        raise InvalidWorkflow(
            "when is 'failed', and after names no job: give the jobs of which one may fail."
        )
    if not ids and workflow_id is None:
        return None
    return Node(workflow_id, ids, when, is_named=is_named)


def _id(before: object) -> UUID:
    found = before.job_id if isinstance(before, WorkflowNode) else as_uuid(before)
    if found is None:
        raise InvalidWorkflow(
            f"after has {ascii(before)[:60]}; give nodes that `add` returned, or ids of jobs."
        )
    return found
