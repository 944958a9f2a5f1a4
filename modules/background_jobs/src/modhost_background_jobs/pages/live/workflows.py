"""The live parts of the pages of workflows."""

from typing import Final, NamedTuple

import anyio

from modhost_background_jobs.contracts import JobNotFound, WorkflowState
from modhost_background_jobs.inspection.workflows.view import InspectedWorkflow, WorkflowInspection
from modhost_background_jobs.pages.live.fragments import Fragments, Html
from modhost_background_jobs.pages.live.topic import Topic
from modhost_background_jobs.pages.workflows.views import ROWS, list_context, workflow_context

LIST_INTERVAL: Final = 2.0
LARGE_INTERVAL: Final = 3.0
LARGE: Final = 200
"""Workflows with more jobs are read less often."""


class Seen(NamedTuple):
    """A workflow as it was read, None for a list, and until when that is new enough."""

    until: float
    workflow: InspectedWorkflow | None


class WorkflowTopics:
    """Renders the list of workflows, and single ones."""

    def __init__(self, inspection: WorkflowInspection, fragments: Fragments) -> None:
        self._inspection = inspection
        self._fragments = fragments

    async def render(
        self, topic: Topic, known: tuple[object, Html] | None
    ) -> tuple[object, Html] | None:
        """Return what a topic shows, and from what; None for a workflow that does not exist."""
        now = anyio.current_time()
        seen = known[0] if known is not None and isinstance(known[0], Seen) else None
        if seen is not None and now < seen.until:
            return known
        if topic.kind == "workflows" or topic.job_id is None:
            state = WorkflowState(topic.search) if topic.search else None
            context = list_context(await self._inspection.list(state, ROWS))
            html = self._fragments.render("workflows/list.html", context)
            return Seen(now + LIST_INTERVAL, None), html
        try:
            found = await self._inspection.inspect(topic.job_id)
        except JobNotFound:
            return None
        until = now + LARGE_INTERVAL if found.summary.total > LARGE else 0.0
        if known is not None and seen is not None and seen.workflow == found:
            return Seen(until, found), known[1]
        context = workflow_context(found, may_manage=topic.may_manage)
        return Seen(until, found), self._fragments.render("workflows/workflow.html", context)
