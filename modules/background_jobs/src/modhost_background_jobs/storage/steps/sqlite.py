"""What attempts store themselves on SQLite: steps, checkpoints, and after their own ends.

Write transactions exclude all others.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import SqliteAccess, to_sqlite
from modhost_background_jobs.model import Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow
from modhost_background_jobs.storage.sqlite import rows as rows_as
from modhost_background_jobs.storage.sqlite.statements import TRIM_LOGS
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

# Rows are [id, fence].
COMPLETED: Final = """
SELECT f.id FROM json_each(?1) AS g
CROSS JOIN background_jobs_finished_jobs f ON f.id = g.value ->> 0
WHERE f.fence = g.value ->> 1 AND f.state = 'Completed'
"""

# Rows are [id, fence, percentage, message, reported_at].
SAVE_LAST_PROGRESS: Final = """
UPDATE background_jobs_finished_jobs
SET progress_percentage = g.value ->> 2,
    progress_message = coalesce(g.value ->> 3, progress_message)
FROM json_each(?1) AS g
WHERE background_jobs_finished_jobs.id = g.value ->> 0 AND fence = g.value ->> 1
    AND state = 'Completed'
"""

# Rows are [id, fence, line, logged_at, message].
APPEND_LAST_LOGS: Final = """
INSERT INTO background_jobs_logs (job_id, line, logged_at, message)
SELECT f.id, g.value ->> 2, g.value ->> 3, g.value ->> 4
FROM json_each(?1) AS g
CROSS JOIN background_jobs_finished_jobs f ON f.id = g.value ->> 0
WHERE f.fence = g.value ->> 1 AND f.state = 'Completed'
ON CONFLICT DO NOTHING
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

    async def completed(self, leases: Collection[Lease]) -> set[UUID]:
        """Read the finished jobs."""
        rows = json.dumps([[str(job_id), fence] for job_id, fence in leases])
        return {UUID(row[0]) for row in await self._sqlite.fetch(COMPLETED, [rows])}

    async def save_last_reports(
        self, progress: Sequence[ProgressUpdate], lines: Sequence[LogLine], keep: int
    ) -> None:
        """Update the finished jobs, and insert log lines."""
        updates = json.dumps([rows_as.progress(each) for each in progress])
        rows = json.dumps([rows_as.log_line(each) for each in lines])
        full = {str(each.lease.job_id) for each in lines if each.may_exceed(keep)}

        def save(connection: sqlite3.Connection) -> None:
            connection.execute(SAVE_LAST_PROGRESS, [updates])
            connection.execute(APPEND_LAST_LOGS, [rows])
            connection.executemany(TRIM_LOGS, [(job_id, keep) for job_id in full])

        if progress or lines:
            await self._sqlite.write(save)

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
