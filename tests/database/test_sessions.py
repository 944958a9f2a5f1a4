"""Sessions on both databases, and the values that they store."""

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
from sqlalchemy.exc import StatementError
from sqlmodel import Field, SQLModel, select

from modhost import new_id
from modhost.database import (
    Database,
    Identifier,
    UtcDateTime,
    from_sqlite,
    to_sqlite,
)

pytestmark = pytest.mark.anyio

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
        assert await anyio.to_thread.run_sync(process.wait, 100) == 0
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


def test_reads_that_are_cancelled_while_they_open_the_file_leave_nothing_behind(
    tmp_path: Path,
) -> None:
    """A host that was stopped at once hung: a closing that was cancelled waited forever."""
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
