"""What an attempt adds to its workflow, and where that is stored."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import Workflow
from modhost_background_jobs.model import Lease, NewJob


class GrowingWorkflow(Workflow, Protocol):
    """A workflow to which a running job adds others."""

    @property
    def jobs(self) -> Sequence[NewJob]:
        """What it has added."""

    def end(self) -> Sequence[NewJob]:
        """Return the same; no more can be added."""


class Growth(Protocol):
    """Gives attempts the means to add jobs to their workflows."""

    def block(self, lease: Lease, workflow_id: UUID) -> GrowingWorkflow:
        """Return what an attempt adds jobs to, which stores nothing by itself."""

    async def store(
        self, session: AsyncSession, lease: Lease, workflow_id: UUID, jobs: Sequence[NewJob]
    ) -> None:
        """Store what an attempt has added; its job is ended in the same transaction."""
