"""What happens to a database for a while leaves no session behind on which everything fails."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from modhost.database import Database
from modhost.database.failures import may_pass
from modhost.failures import describe
from postgres import Postgres

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO things VALUES (1)"
SLOW = "INSERT INTO things SELECT 1 FROM pg_sleep(0.2)"
SESSIONS = 4


async def write_bare(database: Database, statement: str) -> None:
    await database.postgres.execute(statement)


async def write_in_session(database: Database, statement: str) -> None:
    async with database.session() as session:
        await (await session.connection()).execute(text(statement))


WAYS = {"bare": write_bare, "session": write_in_session}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("setting", ["default_transaction_read_only", "statement_timeout"])
async def test_after_a_bad_while_every_session_is_a_good_one(
    postgres: Postgres, empty_postgres_url: str, setting: str, way: str
) -> None:
    """They were kept: each statement on one of them failed until somebody terminated it."""
    name = make_url(empty_postgres_url).database
    statement, value = (SLOW, "50ms") if setting == "statement_timeout" else (INSERT, "on")
    write = WAYS[way]
    failures: list[Exception] = []

    async def attempt() -> None:
        try:
            await write(database, statement)
        except Exception as error:  # noqa: BLE001 - whatever the drivers raise
            failures.append(error)

    async def at_the_same_time() -> int:
        failures.clear()
        async with anyio.create_task_group() as group:
            for _ in range(SESSIONS):
                group.start_soon(attempt)
        return len(failures)

    async with Database(empty_postgres_url).open() as database:
        await write(database, "CREATE TABLE things (number int)")
        await anyio.to_thread.run_sync(
            postgres.run, f"ALTER DATABASE \"{name}\" SET {setting} = '{value}'"
        )
        await database.postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
        while await at_the_same_time() < SESSIONS:
            pass
        assert all(may_pass(each) for each in failures), failures
        await anyio.to_thread.run_sync(postgres.run, f'ALTER DATABASE "{name}" RESET {setting}')
        await at_the_same_time()
        assert await at_the_same_time() == 0


async def test_an_error_of_a_statement_keeps_its_session(empty_postgres_url: str) -> None:
    async with Database(empty_postgres_url).open() as database:
        process = await database.postgres.fetchval("SELECT pg_backend_pid()")
        for wrong in ("SELECT 1/0", "SELECT * FROM nothing"):
            with pytest.raises(asyncpg.PostgresError) as raised:
                await database.postgres.execute(wrong)
            assert not may_pass(raised.value)
        assert await database.postgres.fetchval("SELECT pg_backend_pid()") == process


@pytest.mark.parametrize(
    ("error", "passes", "described"),
    [
        (TimeoutError(), False, "TimeoutError"),
        (FileNotFoundError(2, "No such file"), False, "FileNotFoundError: [Errno 2] No such file"),
        (asyncpg.InternalClientError("got result"), True, "InternalClientError: got result"),
        (asyncpg.InterfaceError("closed"), True, "InterfaceError: closed"),
        (asyncpg.TooManyConnectionsError("sorry"), True, "TooManyConnectionsError: sorry"),
        (asyncpg.CannotConnectNowError("starting"), True, "CannotConnectNowError: starting"),
        (asyncpg.InvalidPasswordError("wrong"), False, "InvalidPasswordError: wrong"),
        (asyncpg.InvalidCatalogNameError("no"), False, "InvalidCatalogNameError: no"),
        (ExceptionGroup("x", [asyncpg.InterfaceError("a"), ValueError("b")]), False, "Exception"),
    ],
)
async def test_what_may_pass_is_distinguished_from_what_never_does(
    error: Exception, passes: bool, described: str
) -> None:
    assert may_pass(error) is passes
    assert describe(error).startswith(described)
    in_words_of_a_module = RuntimeError("no reports")
    in_words_of_a_module.__cause__ = error
    assert may_pass(in_words_of_a_module) is passes


async def test_a_server_that_is_not_there_and_a_locked_file_may_pass(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Connect call failed") as refused:
        await Database("postgresql://127.0.0.1:1/none").postgres.fetch("SELECT 1")
    assert may_pass(refused.value)
    path = tmp_path / "locked.db"
    with (
        closing(sqlite3.connect(path)) as holder,
        closing(sqlite3.connect(path, timeout=0)) as other,
    ):
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            other.execute("BEGIN IMMEDIATE")
    assert may_pass(locked.value)
