"""Workflows as they are read: their counts, and the state that follows from these."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import WorkflowId, WorkflowState, WorkflowSummary
from modhost_background_jobs.storage.tables import JOBS, WORKFLOWS

# In the words of the partial index: there are few running jobs, and many of a workflow.
_IS_RUNNING: Final[ColumnElement[bool]] = literal_column("state = 'Running'")


class WorkflowReader:
    """Reads workflows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, workflow_id: UUID) -> WorkflowSummary | None:
        """Return a workflow, or None when there is no such workflow."""
        async with self._database.reading() as session:
            connection = await session.connection()
            found = await _summaries(
                connection, select(WORKFLOWS).where(WORKFLOWS.c.id == workflow_id)
            )
        return found[0] if found else None


async def _summaries(connection: AsyncConnection, workflows: Select[Any]) -> list[WorkflowSummary]:
    rows = (await connection.execute(workflows)).all()
    running = await _running(connection, [row.id for row in rows if row.unfinished])
    return [_summary(row, running.get(row.id, 0)) for row in rows]


async def _running(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many jobs of the workflows run, of those with any."""
    if not ids:
        return {}
    counting = (
        select(JOBS.c.workflow_id, func.count())
        .where(_IS_RUNNING, JOBS.c.workflow_id.in_(ids))
        .group_by(JOBS.c.workflow_id)
    )
    return {row[0]: row[1] for row in await connection.execute(counting)}


def _summary(row: Row[Any], running: int) -> WorkflowSummary:
    has_begun = running or row.unfinished < row.total
    open_state = WorkflowState.RUNNING if has_begun else WorkflowState.PENDING
    # Read after the workflow: some may have finished in between.
    running = min(running, row.unfinished)
    return WorkflowSummary(
        id=WorkflowId(row.id),
        name=row.name,
        state=WorkflowState(row.outcome) if row.outcome else open_state,
        created_at=row.created_at,
        completed_at=row.completed_at,
        total=row.total,
        completed=row.total - row.unfinished - row.failed - row.cancelled,
        failed=row.failed,
        cancelled=row.cancelled,
        running=running,
        pending=row.unfinished - running,
    )
