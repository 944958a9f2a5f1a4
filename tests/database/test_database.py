"""The traps of both databases."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import StatementError
from sqlmodel import Field, SQLModel, select

from modhost import new_id
from modhost.database import (
    BadDatabaseUrl,
    Database,
    DatabaseUnreachable,
    Identifier,
    UtcDateTime,
    from_sqlite,
    to_sqlite,
)
from modhost.database.migrating import migrate, pending
from modhost.database.revisions import Migrations, UnknownRevision

pytestmark = pytest.mark.anyio

IDENTITY = [Migrations("modhost", "modhost.migrations")]

COUNTING = """
import sys, anyio
from modhost.database import Database
from sqlalchemy import text

async def count():
    async with Database(sys.argv[1]).open() as database:
        for _ in range(300):
            async with database.session() as session:
                connection = await session.connection()
                value = (await connection.execute(text("SELECT n FROM counter"))).scalar_one()
                await connection.execute(text("UPDATE counter SET n = :n"), {"n": value + 1})

anyio.run(count)
"""


class Base(SQLModel):
    metadata: ClassVar[MetaData] = MetaData()


class Moment(Base, table=True):
    __tablename__ = "moments"
    __table_args__ = ({"schema": "trap"},)
    id: UUID = Field(primary_key=True, sa_type=Identifier)
    at: datetime = Field(sa_type=UtcDateTime)


async def create(database: Database) -> None:
    database.know_schema("trap")
    async with database.session() as session:
        connection = await session.connection()
        if database.dialect == "postgresql":
            await connection.execute(text("CREATE SCHEMA trap"))
        await connection.run_sync(Base.metadata.create_all)


async def test_read_modify_write_of_three_processes_loses_no_update(empty_sqlite_url: str) -> None:
    async with Database(empty_sqlite_url).open() as database, database.session() as session:
        connection = await session.connection()
        await connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        await connection.execute(text("INSERT INTO counter VALUES (0)"))
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNTING, empty_sqlite_url])  # noqa: ASYNC220
        for _ in range(3)
    ]
    for process in processes:
        assert await anyio.to_thread.run_sync(process.wait, 60) == 0
    async with Database(empty_sqlite_url).open() as database, database.reading() as session:
        found = await (await session.connection()).execute(text("SELECT n FROM counter"))
        assert found.scalar_one() == 900


async def test_times_come_back_aware_and_in_utc(empty_database_url: str) -> None:
    moment = datetime.fromisoformat("2026-06-01T12:00:00.000100+05:30")
    async with Database(empty_database_url).open() as database:
        await create(database)
        row = Moment(id=new_id(), at=moment)
        async with database.session() as session:
            session.add(row)
        async with database.reading() as session:
            (found,) = (await session.exec(select(Moment))).all()
    assert found.at == moment
    assert found.at.tzinfo is UTC
    assert (found.id, type(found.id)) == (row.id, UUID)


async def test_a_time_without_a_zone_is_refused(empty_database_url: str) -> None:
    async def store(database: Database) -> None:
        async with database.session() as session:
            session.add(Moment(id=new_id(), at=datetime(2026, 1, 1)))  # noqa: DTZ001

    async with Database(empty_database_url).open() as database:
        await create(database)
        with pytest.raises(StatementError, match="has no time zone"):
            await store(database)


def test_text_order_is_time_order_on_sqlite() -> None:
    moments = [datetime(2026, 1, 1, 0, 0, 0, n, tzinfo=UTC) for n in (0, 5, 100, 99999)]
    assert sorted(map(to_sqlite, moments)) == [to_sqlite(moment) for moment in moments]
    assert [from_sqlite(to_sqlite(moment)) for moment in moments] == moments


async def test_an_error_rolls_back(empty_database_url: str) -> None:
    async def fail(database: Database) -> None:
        async with database.session() as session:
            session.add(Moment(id=new_id(), at=datetime.now(UTC)))
            await session.flush()
            raise ZeroDivisionError

    async with Database(empty_database_url).open() as database:
        await create(database)
        with pytest.raises(ZeroDivisionError):
            await fail(database)
        async with database.reading() as session:
            assert (await session.exec(select(Moment))).all() == []


async def test_a_cancelled_transaction_leaves_the_database_usable(empty_database_url: str) -> None:
    async with Database(empty_database_url).open() as database:
        await create(database)
        with anyio.move_on_after(0.05):
            async with database.session() as session:
                session.add(Moment(id=new_id(), at=datetime.now(UTC)))
                await session.flush()
                await anyio.sleep_forever()
        async with database.session() as session:
            session.add(Moment(id=new_id(), at=datetime.now(UTC)))
        async with database.reading() as session:
            assert len((await session.exec(select(Moment))).all()) == 1


@pytest.mark.timeout(30)
def test_reads_that_are_cancelled_while_they_open_the_file_leave_nothing_behind(
    tmp_path: Path,
) -> None:
    """A host that was stopped at once hung: a closing that was cancelled waited for ever."""
    for turns in range(0, 600, 20):
        anyio.run(cancel_reads_after, f"sqlite:///{tmp_path}/{turns}.db", turns)


async def cancel_reads_after(url: str, turns: int) -> None:
    async def read(database: Database) -> None:
        async with database.reading() as session:
            await session.connection()

    async with Database(url).open() as database, anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(read, database)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


async def test_a_reader_cannot_write(empty_database_url: str) -> None:
    async def write(database: Database) -> None:
        async with database.reading() as session:
            session.add(Moment(id=new_id(), at=datetime.now(UTC)))

    async with Database(empty_database_url).open() as database:
        await create(database)
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            await write(database)


async def test_a_reader_does_not_wait_for_a_writer(empty_database_url: str) -> None:
    async with Database(empty_database_url).open() as database:
        await create(database)
        async with database.session() as session:
            session.add(Moment(id=new_id(), at=datetime.now(UTC)))
            await session.flush()
            with anyio.fail_after(10):
                async with database.reading() as reader:
                    assert (await reader.exec(select(Moment))).all() == []


async def test_migrations_of_many_processes_at_once_are_applied_once(
    empty_database_url: str,
) -> None:
    applied: list[int] = []

    async def run() -> None:
        async with Database(empty_database_url).open() as database:
            applied.append(len(await migrate(database, IDENTITY)))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(run)
    assert sorted(applied) == [0, 0, 0, 0, 1]
    async with Database(empty_database_url).open() as database:
        assert await pending(database, IDENTITY) == []


async def test_databases_of_two_kinds_are_migrated_at_the_same_time(
    empty_sqlite_url: str, empty_postgres_url: str
) -> None:
    """What one migration had to do was done in the other's database."""
    async with (
        Database(empty_sqlite_url).open() as file,
        Database(empty_postgres_url).open() as server,
    ):
        async with anyio.create_task_group() as group:
            for database in (file, server):
                group.start_soon(migrate, database, IDENTITY)
        for database in (file, server):
            assert await pending(database, IDENTITY) == []


async def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    async with Database(empty_database_url).open() as database:
        await migrate(database, IDENTITY)
        async with database.session() as session:
            table = "modhost.alembic_version"
            await (await session.connection()).execute(
                text(f"UPDATE {table} SET version_num = 'from the future'")
            )
        with pytest.raises(UnknownRevision, match="a newer version has migrated"):
            await migrate(database, IDENTITY)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "cannot be read"),
        ("oracle://u:sesame@host/x", "'oracle' is not supported"),
        ("sqlite://", "lose every job"),
        ("sqlite:///:memory:", "lose every job"),
        ("sqlite:///x.db?mode=ro", "has parameters"),
        ("sqlite://host/x.db", "three slashes"),
        ("postgresql://u:sesame@host/x?statement_cache_size=5", "statement_cache_size=5"),
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
