"""What a running job adds to its workflow."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.client.new_jobs import NewJobs
from modhost_background_jobs.client.workflows.block import WorkflowBlock
from modhost_background_jobs.model import Lease, NewJob
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import QueueClock


class WorkflowGrowth:
    """Implements `Growth`, which describes each method."""

    def __init__(self, new_jobs: NewJobs, workflows: DatabaseWorkflows, clock: QueueClock) -> None:
        self._new_jobs = new_jobs
        self._workflows = workflows
        self._clock = clock

    def block(self, lease: Lease, workflow_id: UUID) -> WorkflowBlock:
        """Return a block of the workflow."""
        by = f"job:{lease.job_id}"
        return WorkflowBlock(self._new_jobs, workflow_id, by, self._clock.now())

    async def store(
        self, session: AsyncSession, lease: Lease, workflow_id: UUID, jobs: Sequence[NewJob]
    ) -> None:
        """Add the jobs to the workflow."""
        await self._workflows.grow(session, lease.job_id, workflow_id, jobs)
