"""Plans that PostgreSQL keeps: made while little is there, they serve when much is."""

import re
from typing import Any

import pytest

from modhost.database import Database
from modhost_background_jobs.storage.postgres import claim_statements, lease_statements
from modhost_background_jobs.storage.workflows import postgres_statements as workflows

pytestmark = pytest.mark.anyio

FILL = """
INSERT INTO background_jobs.jobs (
    id, job_type, module_name, state, worker, created_at, execute_at, attempt, max_attempts,
    attempts_left, fence, rescues, progress_percentage, on_hold
)
SELECT gen_random_uuid(), 'tests.Job', 'tests',
    CASE WHEN n % 10 = 0 THEN 'Running' ELSE 'Pending' END, CASE WHEN n % 10 = 0 THEN 'w' END,
    now(), now(), 0, 3, 3, 0, 0, 0, false
FROM generate_series(1, $1::int) n
"""
OF_LEASES = (
    (lease_statements.END, "'{}', '{}', '{}', now()"),
    (lease_statements.END_WITH_TEXTS, "'{}', '{}', '{}', now(), '{}', '{}'"),
    (lease_statements.RELEASE, "'{}', '{}', '{}', '{}', '{}', now(), false"),
    (lease_statements.SAVE_PROGRESS, "'{}', '{}', '{}', '{}', '{}'"),
    (lease_statements.APPEND_LOGS, "'{}', '{}', '{}', '{}', '{}'"),
    (lease_statements.SAVE_CHECKPOINTS, "'{}', '{}', '{}'"),
)
OF_WORKFLOWS = ((workflows.END, "'{}', '{}', '{}', '{}', '{}', now()"),)
WHOLE_TABLE = r"Seq Scan on jobs|jobs_running|Scan using \S+ on jobs\b.*\n(?! *Index Cond)"
NOBODY = "'-infinity', '00000000-0000-0000-0000-000000000000'"
CLAIMS = [
    (claim_statements.of(types), f"'{{}}', now(), 100, 'w', {NOBODY}")
    for types in (1, claim_statements.MANY_TYPES)
]


@pytest.mark.parametrize("jobs", [0, 20, 2_000])
async def test_no_statement_of_workers_reads_all_jobs(postgres_url: str, jobs: int) -> None:
    """Nor those that run: each batch of ends would read the jobs of all workers."""
    database = Database(postgres_url)
    async with database.open(), database.postgres.acquire() as connection:
        await connection.execute(FILL, jobs)
        await connection.execute("ANALYZE background_jobs.jobs")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        for statement, given in OF_LEASES:
            plan = await _plan(connection, statement, given)
            assert not re.search(WHOLE_TABLE, plan), plan
        for statement, given in OF_WORKFLOWS:
            assert "jobs_running" not in await _plan(connection, statement, given)
        for statement, given in CLAIMS:
            plan = await _plan(connection, statement, given)
            assert not re.search(WHOLE_TABLE, plan), plan


async def _plan(connection: Any, statement: str, given: str) -> str:
    """Return how a plan that is kept is carried out."""
    await connection.execute(f"PREPARE kept AS {statement}")
    rows = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE kept ({given})")
    await connection.execute("DEALLOCATE kept")
    return "\n".join(row[0] for row in rows)
