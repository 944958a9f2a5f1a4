"""One statement on the bare driver of either database."""

import anyio
import pytest

from modhost.database import Database

pytestmark = pytest.mark.anyio


async def test_a_file_counts_what_a_statement_changes_and_returns_its_rows(
    empty_sqlite_url: str,
) -> None:
    async with Database(empty_sqlite_url).open() as database:
        sqlite = database.sqlite
        await sqlite.execute("CREATE TABLE things (n INTEGER)")
        assert await sqlite.execute("INSERT INTO things VALUES (?), (?)", [1, 2]) == 2
        assert await sqlite.execute("DELETE FROM things WHERE n > ?", [5]) == 0
        raised = "UPDATE things SET n = n + ? RETURNING n"
        assert await sqlite.execute_returning(raised, [10]) == [(11,), (12,)]
        assert await sqlite.fetch("SELECT n FROM things ORDER BY n DESC") == [(12,), (11,)]
        assert await sqlite.fetch_one("SELECT n FROM things WHERE n = ?", [12]) == (12,)
        assert await sqlite.fetch_one("SELECT n FROM things WHERE n = ?", [1]) is None


async def test_a_server_returns_rows_or_a_value_within_the_time_limit(
    empty_postgres_url: str,
) -> None:
    async with Database(empty_postgres_url).open() as database:
        postgres = database.postgres
        await postgres.execute("CREATE TABLE things (n INTEGER)")
        await postgres.execute("INSERT INTO things VALUES ($1), ($2)", 1, 2)
        rows = await postgres.fetch("SELECT n FROM things ORDER BY n", timeout=10)
        assert [row[0] for row in rows] == [1, 2]
        assert await postgres.fetchval("SELECT n FROM things WHERE n = $1", 2) == 2
        assert await postgres.fetchval("SELECT n FROM things WHERE n = $1", 3) is None
        with anyio.fail_after(10), pytest.raises(TimeoutError):
            await postgres.fetch("SELECT pg_sleep(30)", timeout=0.05)
