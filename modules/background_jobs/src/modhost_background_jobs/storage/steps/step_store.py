"""The protocol of a store of steps and checkpoints, the same on both databases."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.model import Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow


class StepStore(Protocol):
    """A part of `JobStore`: its writes touch a job only while it is `Running` under their lease."""

    async def read_steps(self, job_id: UUID) -> dict[str, str | None]:
        """Return the results of the steps of a job that are done, by their names."""

    async def save_step(self, lease: Lease, step: StepRow) -> SavedStep:
        """Store that a step is done, unless it is stored already."""

    async def save_step_in(
        self, connection: AsyncConnection, lease: Lease, step: StepRow
    ) -> SavedStep:
        """Do as `save_step` in a transaction, which keeps the job from any other worker."""

    async def completed(self, leases: Collection[Lease]) -> set[UUID]:
        """Return the jobs that are `Completed` under these leases."""

    async def save_last_reports(
        self, progress: Sequence[ProgressUpdate], lines: Sequence[LogLine], keep: int
    ) -> None:
        """Store what is left of attempts whose jobs are `Completed` under their leases."""

    async def save_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> set[UUID]:
        """Store how far attempts have come; return the ids whose lease still held.

        Raises `JobsLocked` when somebody else has locked some of the jobs.
        """
