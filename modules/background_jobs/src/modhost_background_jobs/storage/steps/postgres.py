"""What attempts store themselves on PostgreSQL: steps, checkpoints, and after their own ends."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import PostgresAccess
from modhost_background_jobs.model import Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow
from modhost_background_jobs.storage.postgres.lease_statements import SAVE_CHECKPOINTS, TRIM_LOGS
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

COMPLETED: Final = """
SELECT f.id FROM background_jobs.finished_jobs f
JOIN unnest($1::uuid[], $2::bigint[]) AS g(id, fence) ON f.id = g.id AND f.fence = g.fence
WHERE f.state = 'Completed'
"""

SAVE_LAST_PROGRESS: Final = """
UPDATE background_jobs.finished_jobs f
SET progress_percentage = g.percentage,
    progress_message = coalesce(g.message, f.progress_message)
FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[])
    AS g(id, fence, percentage, message)
WHERE f.id = g.id AND f.fence = g.fence AND f.state = 'Completed'
"""

APPEND_LAST_LOGS: Final = """
INSERT INTO background_jobs.logs (job_id, line, logged_at, message)
SELECT g.id, g.line, g.logged_at, g.message
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[])
    AS g(id, fence, line, logged_at, message)
JOIN background_jobs.finished_jobs f
    ON f.id = g.id AND f.fence = g.fence AND f.state = 'Completed'
ON CONFLICT DO NOTHING
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

    async def completed(self, leases: Collection[Lease]) -> set[UUID]:
        """Read the finished jobs."""
        ids, fences = zip(*leases, strict=True)
        return {row[0] for row in await self._postgres.fetch(COMPLETED, ids, fences)}

    async def save_last_reports(
        self, progress: Sequence[ProgressUpdate], lines: Sequence[LogLine], keep: int
    ) -> None:
        """Update the finished jobs, and insert log lines."""
        if progress:
            await self._postgres.execute(
                SAVE_LAST_PROGRESS,
                [each.lease.job_id for each in progress],
                [each.lease.fence for each in progress],
                [each.percentage for each in progress],
                [each.message for each in progress],
            )
        if lines:
            await self._postgres.execute(
                APPEND_LAST_LOGS,
                [each.lease.job_id for each in lines],
                [each.lease.fence for each in lines],
                [each.line for each in lines],
                [each.logged_at for each in lines],
                [each.message for each in lines],
            )
            full = {each.lease.job_id for each in lines if each.may_exceed(keep)}
            await self._postgres.execute(TRIM_LOGS, list(full), keep)

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
