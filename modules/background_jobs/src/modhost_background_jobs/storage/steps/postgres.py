"""Steps and checkpoints on PostgreSQL."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import PostgresAccess
from modhost_background_jobs.model import Lease
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow
from modhost_background_jobs.storage.postgres.locked_jobs import LockedJobs
from modhost_background_jobs.storage.workflows.steps import (
    Statement,
    Steps,
    run_in_session,
    run_on_postgres,
)

READ: Final = "SELECT name, result FROM background_jobs.job_steps WHERE job_id = $1"

# The lock keeps a rescue out between the check of the fence and the commit.
SAVE: Final = """
WITH held AS (
    SELECT id, fence FROM background_jobs.jobs
    WHERE id = $1 AND fence = $2 AND state = 'Running' FOR SHARE
),
saved AS (
    INSERT INTO background_jobs.job_steps
        (job_id, fence, name, number, started_at, ended_at, result)
    SELECT id, fence, $3::text, $4::int, $5::timestamptz, $6::timestamptz, $7::text FROM held
    ON CONFLICT DO NOTHING
    RETURNING job_id
)
SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM saved)
"""

SAVE_CHECKPOINTS: Final = """
UPDATE background_jobs.jobs j SET checkpoint = g.checkpoint
FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS g(id, fence, checkpoint)
WHERE j.id = g.id AND j.fence = g.fence AND j.state = 'Running'
RETURNING j.id
"""


class PostgresSteps:
    """Implements `StepStore`, which describes each method."""

    _postgres: PostgresAccess
    _locked: LockedJobs

    async def read_steps(self, job_id: UUID) -> dict[str, str | None]:
        """Read the rows of the job."""
        return {row[0]: row[1] for row in await self._postgres.fetch(READ, job_id)}

    async def save_step(self, lease: Lease, step: StepRow) -> SavedStep:
        """Insert by one statement."""
        async with self._postgres.acquire() as connection:
            return await run_on_postgres(connection, _save(lease, step))

    async def save_step_in(
        self, connection: AsyncConnection, lease: Lease, step: StepRow
    ) -> SavedStep:
        """Insert by one statement."""
        return await run_in_session(connection, _save(lease, step))

    async def save_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> set[UUID]:
        """Update the jobs."""

        async def write(checkpoints: Sequence[Checkpoint]) -> set[UUID]:
            rows = await self._postgres.fetch(
                SAVE_CHECKPOINTS,
                [each.lease.job_id for each in checkpoints],
                [each.lease.fence for each in checkpoints],
                [each.value for each in checkpoints],
            )
            return {row[0] for row in rows}

        return await self._locked.apart(write, checkpoints)


def _save(lease: Lease, step: StepRow) -> Steps[SavedStep]:
    values = [*lease, step.name, step.number, step.started_at, step.ended_at, step.result]
    ((is_held, is_new),) = yield Statement(SAVE, values)
    return SavedStep(is_held, is_new)
