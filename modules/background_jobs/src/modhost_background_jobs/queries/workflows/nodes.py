"""The jobs of workflows, in the order in which they were added, or those that failed first."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.partitions import Partition, in_state, running
from modhost_background_jobs.queries.rows import rows_of
from modhost_background_jobs.storage.tables import CONDITIONS, DEPENDENCIES, FINISHED, JOBS

FAILED_FIRST: Final = (
    JobState.FAILED,
    JobState.RUNNING,
    JobState.PENDING,
    JobState.CANCELLED,
    JobState.COMPLETED,
    JobState.SKIPPED,
)
"""The states in the order in which people want to see them."""


class Before(NamedTuple):
    """What a job waits for: the first jobs before it, how many there are, how many unfinished."""

    ids: tuple[UUID, ...] = ()
    total: int = 0
    unfinished: int = 0
    when: RunWhen = "succeeded"


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A job of a workflow, and what it waits for."""

    row: JobRow
    before: Before


class NodeReader:
    """Reads the jobs of workflows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        workflow_id: UUID,
        limit: int,
        *,
        states: Collection[JobState] = (),
        offset: int = 0,
        added_after: UUID | None = None,
        failed_first: bool = False,
        max_before: int,
    ) -> list[NodeRow]:
        """Return some jobs of a workflow.

        Args:
            workflow_id: the workflow.
            limit: how many.
            states: their states; none for any.
            offset: how many to pass over.
            added_after: the id from which on those that were added later are wanted.
            failed_first: in the order of `FAILED_FIRST`, instead of that in which they were added.
            max_before: how many of the jobs before each of them are wanted.

        """
        parts = [
            _some(workflow_id, state, added_after, offset + limit, rank if failed_first else 0)
            for rank, state in enumerate(FAILED_FIRST)
            if not states or state in states
        ]
        ids = union_all(*parts).subquery()
        wanted = select(ids.c.id).order_by(ids.c.rank, ids.c.id).offset(offset).limit(limit)
        async with self._database.reading() as session:
            connection = await session.connection()
            found = list((await connection.execute(wanted)).scalars())
            rows = await rows_of(connection, found)
            before = await before_jobs(connection, found, max_before)
        return [NodeRow(row, before.get(row.id, Before())) for row in rows]


def _some(
    workflow_id: UUID, state: JobState, added_after: UUID | None, limit: int, rank: int
) -> Select[Any]:
    table = FINISHED if state.is_final else JOBS
    of_workflow = [table.c.workflow_id == workflow_id]
    if added_after is not None:
        of_workflow.append(table.c.id > added_after)
    if state is JobState.RUNNING:
        jobs = running(*of_workflow)
    else:
        jobs = Partition(table, [*of_workflow, in_state(table, state)])
    ids = jobs.select(table.c.id, literal(rank).label("rank")).order_by(table.c.id).limit(limit)
    return select(ids.subquery())


async def before_jobs(
    connection: AsyncConnection, ids: Sequence[UUID], most: int
) -> Mapping[UUID, Before]:
    """Return what each job waits for, of those that wait, or have waited, for others."""
    if not ids:
        return {}
    of_job = DEPENDENCIES.c.job_id == CONDITIONS.c.job_id
    last = select(func.max(DEPENDENCIES.c.position)).where(of_job).scalar_subquery()
    conditions = select(CONDITIONS, last.label("last")).where(CONDITIONS.c.job_id.in_(ids))
    first = select(DEPENDENCIES).where(
        DEPENDENCIES.c.job_id.in_(ids), DEPENDENCIES.c.position < most
    )
    after: dict[UUID, list[UUID]] = defaultdict(list)
    rows = (await connection.execute(conditions)).all()
    if rows:
        ordered = first.order_by(DEPENDENCIES.c.job_id, DEPENDENCIES.c.position)
        for each in await connection.execute(ordered):
            after[each.job_id].append(each.after_id)
    return {
        row.job_id: Before(
            tuple(after[row.job_id]), (row.last or 0) + 1, row.unfinished, row.run_when
        )
        for row in rows
    }
