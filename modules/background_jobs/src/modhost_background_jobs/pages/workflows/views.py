"""The list of workflows, and one of them with its graph."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BeforeValidator, Field
from starlette.responses import Response

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    JobState,
    WorkflowConflict,
    WorkflowId,
    WorkflowState,
)
from modhost_background_jobs.inspection.workflows.view import (
    NODES_SHOWN,
    InspectedWorkflow,
    WorkflowInspection,
)
from modhost_background_jobs.pages.notices import NoticeQuery, redirect
from modhost_background_jobs.pages.workflows.layout import HEIGHT, WIDTH, draw
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.queries.workflows.nodes import FAILED_FIRST
from modhost_background_jobs.queries.workflows.summaries import WorkflowPage

PATH: Final = "/admin/jobs/workflows"
ROWS: Final = 20


def _or_none(value: object) -> object:
    return value or None


class ListQuery(NoticeQuery):
    """Which workflows to show: those in a state, and older than one."""

    state: Annotated[WorkflowState | None, BeforeValidator(_or_none)] = None
    before: UUID | None = None


class WorkflowQuery(NoticeQuery):
    """Which jobs of the workflow to show."""

    state: Annotated[JobState | None, BeforeValidator(_or_none)] = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1


def list_context(page: WorkflowPage) -> dict[str, Any]:
    """Return the variables of the list, as far as they are live."""
    return {"workflows": page.items}


def workflow_context(found: InspectedWorkflow, *, may_manage: bool) -> dict[str, Any]:
    """Return the variables of the page of a workflow, as far as they are live."""
    counts = [(state, getattr(found.summary, state.value.lower(), 0)) for state in FAILED_FIRST]
    return {
        "workflow": found.summary,
        "graph": found.graph,
        "drawing": draw(found.graph),
        "box_width": WIDTH,
        "box_height": HEIGHT,
        "counts": [each for each in counts if each[1]],
        "nodes": found.nodes,
        "state": None,
        "may_manage": may_manage,
    }


async def show_workflows(query: Query[ListQuery], inspection: WorkflowInspection) -> Page:
    """Show the workflows, newest first."""
    page = await inspection.list(query.state, ROWS, query.before)
    older = None
    if page.older is not None:
        place = {"state": query.state.value} if query.state else {}
        older = f"{PATH}?{urlencode(place | {'before': str(page.older)})}"
    context = {
        "state": query.state,
        "states": list(WorkflowState),
        "older": older,
        "is_first": query.before is None,
        **list_context(page),
        **query.as_context(),
    }
    return Page("workflows/list.html", context, "Workflows")


async def show_workflow(
    id: UUID,  # noqa: A002
    query: Query[WorkflowQuery],
    inspection: WorkflowInspection,
    visitor: Principal,
) -> Page:
    """Show one workflow: its graph, and a page of its jobs, those that failed first."""
    found = await inspection.inspect(id, query.state, query.page)
    summary = found.summary
    total = getattr(summary, query.state.value.lower(), 0) if query.state else summary.total
    context = {
        **workflow_context(found, may_manage=visitor.may(MANAGE_JOBS)),
        "state": query.state,
        "page": query.page,
        "pages": -(-total // NODES_SHOWN),
        "nodes_are_live": query.state is None and query.page == 1,
        **query.as_context(),
    }
    return Page("workflows/workflow.html", context, summary.name)


async def confirm_cancel(id: UUID, inspection: WorkflowInspection) -> Page:  # noqa: A002
    """Ask whether to cancel a workflow."""
    return await _confirmation(id, inspection, "Cancel")


async def confirm_retry(id: UUID, inspection: WorkflowInspection) -> Page:  # noqa: A002
    """Ask whether to retry what has failed."""
    return await _confirmation(id, inspection, "Retry")


async def cancel(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Cancel a workflow."""
    try:
        found = await jobs.cancel_workflow(WorkflowId(id))
    except WorkflowConflict:
        return redirect(f"{PATH}/{id}", "workflow-too-late")
    has_finished = found.state.is_final
    return redirect(f"{PATH}/{id}", "workflow-cancelled" if has_finished else "workflow-stopping")


async def retry(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Retry what has failed."""
    try:
        await jobs.retry_workflow(WorkflowId(id))
    except WorkflowConflict:
        return redirect(f"{PATH}/{id}", "workflow-left")
    return redirect(f"{PATH}/{id}", "workflow-retried")


async def _confirmation(id_: UUID, inspection: WorkflowInspection, verb: str) -> Page:
    summary = await inspection.summary(id_)
    context = {"workflow": summary, "verb": verb}
    return Page("workflows/confirm.html", context, f"{verb} {summary.name}")
