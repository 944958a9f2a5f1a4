"""The routes of workflows."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator

from modhost.web import Endpoints, Query
from modhost_background_jobs.api.states import states, workflow_state
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobNotFound,
    JobState,
    PagedResult,
    WorkflowConflict,
    WorkflowDetail,
    WorkflowFilter,
    WorkflowId,
    WorkflowJobFilter,
    WorkflowState,
    WorkflowSummary,
)
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS


def map_workflows(endpoints: Endpoints) -> None:
    """Map the routes."""
    endpoints.map_error(WorkflowConflict, 409)
    endpoints.get("/workflows", list_workflows, permission=VIEW_JOBS)
    endpoints.get("/workflows/{id}", get_workflow, permission=VIEW_JOBS)
    endpoints.post("/workflows/{id}/cancel", cancel_workflow, permission=MANAGE_JOBS)
    endpoints.post("/workflows/{id}/retry", retry_workflow, permission=MANAGE_JOBS)


class WorkflowQuery(WorkflowFilter):
    """The filter as the query string gives it."""

    state: Annotated[WorkflowState | None, BeforeValidator(workflow_state)] = None


class NodeQuery(WorkflowJobFilter):
    """Which jobs of the workflow to show; `state` may be there more than once."""

    state: Annotated[tuple[JobState, ...], BeforeValidator(states)] = ()


async def list_workflows(
    query: Query[WorkflowQuery], jobs: BackgroundJobsContracts
) -> PagedResult[WorkflowSummary]:
    """List workflows, newest first."""
    return await jobs.get_workflows(query)


async def get_workflow(
    id: UUID,  # noqa: A002
    query: Query[NodeQuery],
    jobs: BackgroundJobsContracts,
) -> WorkflowDetail:
    """Show a workflow with a page of its jobs, and which jobs each of them waits for."""
    detail = await jobs.get_workflow_detail(WorkflowId(id), query)
    if detail is None:
        raise JobNotFound(id, "workflow")
    return detail


async def cancel_workflow(id: UUID, jobs: BackgroundJobs) -> WorkflowSummary:  # noqa: A002
    """Cancel all pending jobs of a workflow, and ask those that run to stop."""
    return await jobs.cancel_workflow(WorkflowId(id))


async def retry_workflow(id: UUID, jobs: BackgroundJobs) -> WorkflowSummary:  # noqa: A002
    """Retry all failed jobs of a workflow, and revive what was cancelled because of them."""
    return await jobs.retry_workflow(WorkflowId(id))
