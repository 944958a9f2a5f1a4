"""Workflows as they are read: their counts, and the state that follows from these."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import WorkflowId, WorkflowState, WorkflowSummary
from modhost_background_jobs.queries.partitions import running
from modhost_background_jobs.storage.tables import JOBS, WORKFLOWS

_ID: Final = WORKFLOWS.c.id
# Of the running ones, which are few: there may be many jobs of a workflow.
_SOME_RUN: Final = _ID.in_(running(JOBS.c.workflow_id.is_not(None)).select(JOBS.c.workflow_id))
_SOME_HAVE_FINISHED: Final = WORKFLOWS.c.unfinished < WORKFLOWS.c.total
_IS_OPEN: Final = WORKFLOWS.c.outcome.is_(None)
MAX_COUNTED: Final = 100_000


class WorkflowPage(NamedTuple):
    """Workflows, how many there are on all pages, and before which id there are more."""

    items: list[WorkflowSummary]
    total: int
    older: UUID | None


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

    async def page(
        self,
        state: WorkflowState | None,
        limit: int,
        *,
        offset: int = 0,
        before: UUID | None = None,
    ) -> WorkflowPage:
        """Return workflows in a state, or all, newest first; up to 100,000 of them are counted.

        Args:
            state: the state; None for any.
            limit: how many.
            offset: how many newer ones to pass over.
            before: the id from which on older ones are wanted.

        """
        are_in_state = _in_state(state)
        listed = select(WORKFLOWS).where(*are_in_state).order_by(_ID.desc())
        if before is not None:
            listed = listed.where(before > _ID)
        some = select(_ID).where(*are_in_state).limit(MAX_COUNTED).subquery()
        async with self._database.reading() as session:
            connection = await session.connection()
            total = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
            # One more than wanted: whether there are more.
            found = await _summaries(connection, listed.offset(offset).limit(limit + 1))
        items = found[:limit]
        return WorkflowPage(items, total, items[-1].id if len(found) > limit else None)


def _in_state(state: WorkflowState | None) -> list[ColumnElement[bool]]:
    if state is None:
        return []
    if state.is_final:
        return [WORKFLOWS.c.outcome == state.value]
    has_begun = or_(_SOME_HAVE_FINISHED, _SOME_RUN)
    return [_IS_OPEN, has_begun if state is WorkflowState.RUNNING else ~has_begun]


async def _summaries(connection: AsyncConnection, workflows: Select[Any]) -> list[WorkflowSummary]:
    # By one statement: of a job that ends meanwhile both counts know, or neither.
    some = workflows.subquery()
    own = running(JOBS.c.workflow_id == some.c.id)
    count = own.select(func.count()).correlate(some).scalar_subquery()
    read = select(some, count.label("running")).order_by(some.c.id.desc())
    return [_summary(row) for row in await connection.execute(read)]


def _summary(row: Row[Any]) -> WorkflowSummary:
    has_begun = row.running or row.unfinished < row.total
    open_state = WorkflowState.RUNNING if has_begun else WorkflowState.PENDING
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
        running=row.running,
        pending=row.unfinished - row.running,
    )
