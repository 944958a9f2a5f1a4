"""Steps and checkpoints on SQLite, within write transactions, which exclude all others."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import SqliteAccess, to_sqlite
from modhost_background_jobs.model import Lease
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow
from modhost_background_jobs.storage.workflows.steps import (
    Statement,
    Steps,
    run_in_session,
    run_on_sqlite,
)

READ: Final = "SELECT name, result FROM background_jobs_job_steps WHERE job_id = ?1"

IS_HELD: Final = """
SELECT 1 FROM background_jobs_jobs WHERE id = ?1 AND fence = ?2 AND state = 'Running'
"""

SAVE: Final = """
INSERT INTO background_jobs_job_steps (job_id, fence, name, number, started_at, ended_at, result)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING
RETURNING job_id
"""

# Rows are [id, fence, checkpoint].
SAVE_CHECKPOINTS: Final = """
UPDATE background_jobs_jobs SET checkpoint = g.value ->> 2
FROM json_each(?1) AS g
WHERE background_jobs_jobs.id = g.value ->> 0 AND fence = g.value ->> 1 AND state = 'Running'
RETURNING background_jobs_jobs.id
"""


class SqliteSteps:
    """Implements `StepStore`, which describes each method."""

    _sqlite: SqliteAccess

    async def read_steps(self, job_id: UUID) -> dict[str, str | None]:
        """Read the rows of the job."""
        return dict(await self._sqlite.fetch(READ, [str(job_id)]))

    async def save_step(self, lease: Lease, step: StepRow) -> SavedStep:
        """Check the lease, then insert."""
        return await self._sqlite.write(
            lambda connection: run_on_sqlite(connection, _save(lease, step))
        )

    async def save_step_in(
        self, connection: AsyncConnection, lease: Lease, step: StepRow
    ) -> SavedStep:
        """Check the lease, then insert."""
        return await run_in_session(connection, _save(lease, step))

    async def save_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> set[UUID]:
        """Update the jobs."""
        rows = [[str(each.lease.job_id), each.lease.fence, each.value] for each in checkpoints]
        found = await self._sqlite.execute_returning(SAVE_CHECKPOINTS, [json.dumps(rows)])
        return {UUID(row[0]) for row in found}


def _save(lease: Lease, step: StepRow) -> Steps[SavedStep]:
    id_, fence = str(lease.job_id), lease.fence
    held = yield Statement(IS_HELD, [id_, fence])
    if not held:
        return SavedStep(is_held=False, is_new=False)
    started_at, ended_at = to_sqlite(step.started_at), to_sqlite(step.ended_at)
    values = [id_, fence, step.name, step.number, started_at, ended_at, step.result]
    saved = yield Statement(SAVE, values)
    return SavedStep(is_held=True, is_new=bool(saved))
