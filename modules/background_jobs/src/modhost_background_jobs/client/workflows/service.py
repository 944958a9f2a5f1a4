"""The implementation of the contract for workflows."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost.audit import AuditLog, recorded
from modhost.caller import current_caller
from modhost_background_jobs.client.limits import as_uuid, known_id, several
from modhost_background_jobs.client.new_jobs import Asked, NewJobs
from modhost_background_jobs.client.workflows.block import WorkflowBlock, checked_name, node_of
from modhost_background_jobs.contracts import (
    JobId,
    JobNotFound,
    ModuleJob,
    Workflow,
    WorkflowConflict,
    WorkflowId,
    WorkflowSummary,
)
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.model.workflow import NewWorkflow, Node
from modhost_background_jobs.queries.workflows.summaries import WorkflowReader
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import QueueClock


class WorkflowsService:
    """Implements `Workflows`, which describes each method."""

    def __init__(
        self,
        new_jobs: NewJobs,
        workflows: DatabaseWorkflows,
        reader: WorkflowReader,
        audit: AuditLog,
        clock: QueueClock,
    ) -> None:
        self._new_jobs = new_jobs
        self._workflows = workflows
        self._workflow_reader = reader
        self._audit = audit
        self._clock = clock

    @asynccontextmanager
    async def workflow(
        self, name: str, *, session: AsyncSession | None = None
    ) -> AsyncIterator[Workflow]:
        """Store what the block adds, unless it raises."""
        workflow = NewWorkflow(
            id=new_id(),
            name=checked_name(name),
            created_at=self._clock.now(),
            created_by=(await current_caller()).person,
        )
        block = WorkflowBlock(self._new_jobs, workflow.id, workflow.created_by, workflow.created_at)
        yield block
        await self._workflows.store(workflow, block.end(), session)

    async def enqueue_batch(
        self,
        asked: Asked,
        data: Sequence[Any],
        then: tuple[type[ModuleJob], Any] | tuple[type[ModuleJob], Any, RunWhen],
        session: AsyncSession | None,
    ) -> list[JobId]:
        """Store jobs, and one that runs after all of them, as a workflow; return the former."""
        job, callback_data, when = then if len(then) == 3 else (*then, "succeeded")
        workflow = NewWorkflow(
            id=new_id(),
            name=asked.flow.registered.job_type,
            created_at=asked.now,
            created_by=asked.enqueued_by,
        )
        new = [self._new_jobs.make(asked, item, node=Node(workflow.id)) for item in several(data)]
        if not new and when == "failed":
            return []  # none of them can fail
        flow = self._new_jobs.flow_of(job, None, None, ())
        callback = replace(asked, flow=flow, max_attempts=None, timeout=None)
        node = node_of([JobId(each.id) for each in new], when, workflow.id)
        last = self._new_jobs.make(callback, callback_data, node=node)
        await self._workflows.store(workflow, [*new, last], session)
        return [JobId(each.id) for each in new]

    async def get_workflow(self, workflow_id: WorkflowId) -> WorkflowSummary | None:
        """Read one workflow."""
        id_ = as_uuid(workflow_id)
        return None if id_ is None else await self._workflow_reader.find(id_)

    async def cancel_workflow(self, workflow_id: WorkflowId) -> WorkflowSummary:
        """Cancel what waits, and ask what runs to stop."""
        id_ = known_id(workflow_id, "workflow")
        refusals = (JobNotFound, WorkflowConflict)
        async with recorded(self._audit, "workflows.cancel", f"workflow:{id_}", *refusals) as entry:
            entry.detail = await self._workflows.cancel(id_)
        return await self._found(WorkflowId(id_))

    async def retry_workflow(self, workflow_id: WorkflowId) -> WorkflowSummary:
        """Retry what has failed."""
        id_ = known_id(workflow_id, "workflow")
        refusals = (JobNotFound, WorkflowConflict)
        async with recorded(self._audit, "workflows.retry", f"workflow:{id_}", *refusals) as entry:
            entry.detail = await self._workflows.retry(id_)
        return await self._found(WorkflowId(id_))

    async def _found(self, workflow_id: WorkflowId) -> WorkflowSummary:
        found = await self.get_workflow(workflow_id)
        if found is None:
            raise JobNotFound(workflow_id, "workflow")
        return found
