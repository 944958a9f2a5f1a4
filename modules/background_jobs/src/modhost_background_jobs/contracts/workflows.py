"""The contract for workflows: jobs that wait for the ends of others."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.ids import WorkflowId
from modhost_background_jobs.contracts.job.workflow_block import (
    After,
    NodeOptions,
    Workflow,
    WorkflowNode,
)
from modhost_background_jobs.contracts.states import WorkflowState

__all__ = [
    "After",
    "NodeOptions",
    "Workflow",
    "WorkflowNode",
    "WorkflowSummary",
    "Workflows",
]


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
            The workflow, as it is a moment later: it may have finished again.

        Raises:
            JobNotFound: there is no such workflow.
            WorkflowConflict: none of its jobs has failed, or other jobs have the unique keys of all
                that have.

        """
