"""The shape of workflows: a bounded number of their jobs, and which of these wait for which."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select, union_all

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.queries.partitions import Partition, in_state
from modhost_background_jobs.storage.tables import CONDITIONS, DEPENDENCIES, FINISHED, JOBS

MAX_NODES: Final = 2_000
"""Of a workflow with more jobs the first and the last ones are read, half of the number each."""
MAX_EDGES: Final = 20_000
_MAX_BEFORE: Final = 50


class NodeState(NamedTuple):
    """A job of a workflow, as far as its graph shows it."""

    id: UUID
    job_type: str
    state: JobState
    summary: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """Which jobs each job waits for, and when it runs; it changes only when the workflow grows."""

    before: dict[UUID, list[UUID]]
    when: dict[UUID, RunWhen]
    is_complete: bool


class ShapeReader:
    """Reads what graphs of workflows are drawn from, however many jobs they have."""

    def __init__(self, database: Database, *, max_nodes: int = MAX_NODES) -> None:
        self.max_nodes = max_nodes
        self._database = database

    async def nodes(self, workflow_id: UUID, total: int) -> list[NodeState]:
        """Return the jobs in the order in which they were added, or the first and last of them."""
        is_all = total <= self.max_nodes
        limit = self.max_nodes if is_all else self.max_nodes // 2
        ends = [_end(workflow_id, limit, ascending=each) for each in (True, False)[: 2 - is_all]]
        both = ends[0] if is_all else union_all(*ends)
        async with self._database.reading() as session:
            found = await (await session.connection()).execute(both)
        nodes = {
            row.id: NodeState(row.id, row.job_type, JobState(row.state), row.summary)
            for row in found
        }
        return [nodes[id_] for id_ in sorted(nodes)]

    async def shape(self, nodes: Sequence[NodeState], total: int) -> Shape:
        """Return what the jobs wait for, among `MAX_EDGES` of them at most."""
        ids = [each.id for each in nodes]
        edges = select(DEPENDENCIES.c.job_id, DEPENDENCIES.c.after_id)
        edges = edges.where(DEPENDENCIES.c.job_id.in_(ids))
        if total > len(ids):
            edges = edges.where(DEPENDENCIES.c.position < _MAX_BEFORE)
        ordered = edges.order_by(DEPENDENCIES.c.position, DEPENDENCIES.c.job_id)
        conditions = select(CONDITIONS.c.job_id, CONDITIONS.c.run_when)
        before: dict[UUID, list[UUID]] = defaultdict(list)
        async with self._database.reading() as session:
            connection = await session.connection()
            found = (await connection.execute(ordered.limit(MAX_EDGES + 1))).all()
            when = await connection.execute(conditions.where(CONDITIONS.c.job_id.in_(ids)))
            known = set(ids)
            for job_id, after_id in found[:MAX_EDGES]:
                if after_id in known:
                    before[job_id].append(after_id)
            return Shape(dict(before), {row[0]: row[1] for row in when}, len(found) <= MAX_EDGES)


def _end(workflow_id: UUID, limit: int, *, ascending: bool) -> Select[Any]:
    """Select the jobs that were added first, or last: of each state as many, by its index."""
    parts = []
    for table, states in ((JOBS, [None]), (FINISHED, [each for each in JobState if each.is_final])):
        for state in states:
            of_state = [] if state is None else [in_state(table, state)]
            jobs = Partition(table, [table.c.workflow_id == workflow_id, *of_state])
            wanted = jobs.select(*(table.c[each] for each in NodeState._fields))
            ordered = wanted.order_by(jobs.order(ascending=ascending)).limit(limit)
            parts.append(select(ordered.subquery()))
    all_of_them = union_all(*parts).subquery()
    place = all_of_them.c.id.asc() if ascending else all_of_them.c.id.desc()
    return select(select(all_of_them).order_by(place).limit(limit).subquery())
