"""Whatever is stored, what workers read all the time is found by indexes."""

import re

import pytest

from background_jobs.flow.lanes import job
from modhost.database import Database
from modhost_background_jobs.storage.columns import flowing_rows
from modhost_background_jobs.storage.flow.turn_statements import PLACE_IN_POSTGRES
from modhost_background_jobs.storage.postgres import statements
from modhost_background_jobs.storage.postgres.lanes import limit_statements as limits_of_postgres
from modhost_background_jobs.storage.postgres.lanes import statements as of_postgres
from modhost_background_jobs.storage.sqlite.lanes import statements as of_sqlite
from moving_clock import START

pytestmark = pytest.mark.anyio

FILL = """
INSERT INTO background_jobs.jobs (
    id, job_type, module_name, state, created_at, execute_at, attempt, max_attempts, attempts_left,
    fence, rescues, progress_percentage, on_hold, lane, held_by
)
SELECT gen_random_uuid(), 'tests.Job', 'tests', 'Pending', now(), now(), 0, 3, 3,
    0, 0, 0, false, 'L', CASE WHEN n > {unheld} THEN 'sources' || chr(31) || 'a' END
FROM generate_series(1, 40000) n
"""
_FAIR = [flowing_rows([job(fair=key) for key in keys]) for keys in ("a", "ab")]


@pytest.mark.parametrize("unheld", [40_000, 30_000])
async def test_postgresql_goes_through_no_table(postgres_url: str, unheld: int) -> None:
    """As after a bulk load, and with statistics by which held jobs seem easy to come across."""
    database = Database(postgres_url)
    async with database.open(), database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(FILL.format(unheld=unheld))
        if unheld < 40_000:
            await connection.exec_driver_sql("ANALYZE background_jobs.jobs")
        for statement, given in (
            (of_postgres.STATE, (START,)),
            (of_postgres.PICK, ([], [], ["L"], [0.0], [500], START, 500, "w1")),
            (of_postgres.PICK_AMONG_MANY, ([], [], ["L"], [0.0], [500], START, 500, "w1")),
            (limits_of_postgres.HELD_KEYS, ("", 200)),
            (limits_of_postgres.TEND, (["sources"], ["a"])),
            *(statements.insert_with(statements.insert_flowing(), jobs) for jobs in _FAIR),
            (PLACE_IN_POSTGRES, ([], [], [], [])),
        ):
            explain = f"EXPLAIN (COSTS OFF) {statement}"
            steps = (await connection.exec_driver_sql(explain, given)).scalars().all()
            assert not [step for step in steps if re.search("Seq Scan on .*jobs", step)], steps


PREPARE = "PREPARE picking (text[], int[], text[], float8[], int[], timestamptz, int, text) AS "
EXECUTE = "EXECUTE picking ('{}', '{}', '{L}', '{0}', '{500}', now(), 500, 'w1')"


@pytest.mark.parametrize("statement", [of_postgres.PICK, of_postgres.PICK_AMONG_MANY])
async def test_a_plan_that_is_made_for_an_empty_table_serves_a_full_one(
    postgres_url: str, statement: str
) -> None:
    database = Database(postgres_url)
    async with database.open(), database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(of_postgres.KEEP_PLANS)
        await connection.exec_driver_sql(PREPARE + statement)
        steps = (await connection.exec_driver_sql(f"EXPLAIN {EXECUTE}")).scalars().all()
        assert not [step for step in steps if re.search("Seq Scan on .*jobs", step)], steps


async def test_sqlite_goes_through_no_table(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    async with database.open(), database.reading() as session:
        connection = await session.connection()
        for statement, given in (
            (of_sqlite.HEADS, ()),
            (of_sqlite.HAS_HELD, ()),
            (of_sqlite.NEXT_OPENING, ()),
            (of_sqlite.HELD_KEYS, ("", 200)),
        ):
            explain = f"EXPLAIN QUERY PLAN {statement}"
            steps = [row.detail for row in await connection.exec_driver_sql(explain, given)]
            read = [step for step in steps if " j" in step or "background" in step]
            assert all("INDEX" in step for step in read), steps
