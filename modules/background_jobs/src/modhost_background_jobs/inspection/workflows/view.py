"""Workflows as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import (
    JobNotFound,
    JobState,
    WorkflowState,
    WorkflowSummary,
)
from modhost_background_jobs.inspection.workflows.graph import Graph, graph_of
from modhost_background_jobs.queries.workflows.nodes import NodeReader, NodeRow
from modhost_background_jobs.queries.workflows.shape import Shape, ShapeReader
from modhost_background_jobs.queries.workflows.summaries import WorkflowPage, WorkflowReader

NODES_SHOWN: Final = 50
_BEFORE_SHOWN: Final = 3
_SHAPES_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class InspectedWorkflow:
    """A workflow as its page shows it: equal to another one that would look the same."""

    summary: WorkflowSummary
    graph: Graph
    nodes: Sequence[NodeRow]


class WorkflowInspection:
    """Reads workflows with their graphs and jobs; what it reads is bounded, whatever their size."""

    def __init__(self, workflows: WorkflowReader, nodes: NodeReader, shapes: ShapeReader) -> None:
        self._workflows = workflows
        self._nodes = nodes
        self._shapes = shapes
        self._known: dict[UUID, tuple[int, Shape]] = {}

    async def list(
        self, state: WorkflowState | None, limit: int, before: UUID | None = None
    ) -> WorkflowPage:
        """Return a page of workflows, newest first, those older than `before`."""
        return await self._workflows.page(state, limit, before=before)

    async def summary(self, workflow_id: UUID) -> WorkflowSummary:
        """Return the counts of a workflow. Raises `JobNotFound`."""
        summary = await self._workflows.find(workflow_id)
        if summary is None:
            raise JobNotFound(workflow_id, "workflow")
        return summary

    async def inspect(
        self, workflow_id: UUID, state: JobState | None = None, page: int = 1
    ) -> InspectedWorkflow:
        """Return a workflow with a page of its jobs, those that failed first.

        Raises `JobNotFound`.
        """
        summary = await self.summary(workflow_id)
        rows = await self._nodes.page(
            workflow_id,
            NODES_SHOWN,
            states=() if state is None else (state,),
            offset=(page - 1) * NODES_SHOWN,
            failed_first=True,
            max_before=_BEFORE_SHOWN,
        )
        return InspectedWorkflow(summary, await self._graph(summary), rows)

    async def _graph(self, summary: WorkflowSummary) -> Graph:
        nodes = await self._shapes.nodes(summary.id, summary.total)
        known = self._known.pop(summary.id, None)
        if known is None or known[0] != summary.total:
            known = summary.total, await self._shapes.shape(nodes, summary.total)
        self._known[summary.id] = known
        while len(self._known) > _SHAPES_KEPT:
            self._known.pop(next(iter(self._known)))
        return graph_of(nodes, known[1])
