"""Open a database by its URL, or say why that is impossible."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from modhost.database import (
    BadDatabaseUrl,
    Database,
    DatabaseUnreachable,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "cannot be read"),
        ("oracle://u:sesame@host/x", "'oracle' is not supported"),
        ("sqlite://", "lose every job"),
        ("sqlite:///:memory:", "lose every job"),
        ("sqlite:///x.db?mode=ro", "has parameters"),
        ("sqlite://host/x.db", "three slashes"),
        ("sqlite:///x\0.db", "NUL character"),
        ("postgresql://u:sesame@host/x?statement_cache_size=x", "statement_cache_size=x"),
    ],
)
def test_a_url_that_cannot_be_used_says_why(url: str, words: str) -> None:
    with pytest.raises(BadDatabaseUrl, match=words) as refused:
        Database(url)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://me:sesame@127.0.0.1:1/db", "sqlite:////proc/no/x"])
async def test_a_database_that_cannot_be_reached_says_so_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=r"cannot be") as refused:
        async with Database(url).open():
            raise AssertionError
    assert "sesame" not in str(refused.value)


async def test_behind_a_pooler_no_prepared_statement_outlives_its_transaction(
    empty_postgres_url: str,
) -> None:
    # PgBouncer 1.18 in transaction mode: "prepared statement __asyncpg_stmt_43__ does not exist".
    left = "SELECT count(*) FROM pg_prepared_statements"
    url = make_url(empty_postgres_url).update_query_dict({"statement_cache_size": "0"})
    async with Database(url.render_as_string(hide_password=False)).open() as database:
        async with database.session() as session:
            connection = await session.connection()
            for value in range(3):
                await connection.execute(text("SELECT :value + 1"), {"value": value})
            assert (await connection.execute(text(left))).scalar_one() == 0
        async with database.postgres.acquire() as bare:
            assert await bare.fetchval("SELECT $1::int + 1", 1) == 2
            assert await bare.fetchval(left) == 0


def test_the_folder_of_a_database_is_made(tmp_path: Path) -> None:
    async def open_it() -> None:
        async with Database(f"sqlite:///{tmp_path}/deep/er/x.db").open():
            pass

    anyio.run(open_it)
    assert (tmp_path / "deep" / "er" / "x.db").exists()
