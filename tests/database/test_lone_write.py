"""What one write to a SQLite file asks the database."""

import sqlite3
from pathlib import Path

import pytest

from modhost.database import Database

pytestmark = pytest.mark.anyio


def insert(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO things VALUES (1)")


def fail(connection: sqlite3.Connection) -> None:
    insert(connection)
    msg = "no"
    raise ValueError(msg)


def count(connection: sqlite3.Connection) -> int:
    counted: int = connection.execute("SELECT count(*) FROM things").fetchone()[0]
    return counted


async def test_a_write_alone_has_a_transaction_and_no_savepoint_within(tmp_path: Path) -> None:
    """A savepoint around it was two more statements for each write of an idle worker."""
    asked: list[str] = []
    async with Database(f"sqlite:///{tmp_path / 'file.db'}").open() as database:
        await database.sqlite.write(lambda each: each.execute("CREATE TABLE things (n)"))
        await database.sqlite.write(lambda each: each.set_trace_callback(asked.append))
        asked.clear()
        await database.sqlite.write(insert)
    assert asked[-3:] == ["BEGIN IMMEDIATE", "INSERT INTO things VALUES (1)", "COMMIT"]


async def test_a_write_alone_that_raises_is_rolled_back(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'file.db'}").open() as database:
        await database.sqlite.write(lambda each: each.execute("CREATE TABLE things (n)"))
        with pytest.raises(ValueError, match="no"):
            await database.sqlite.write(fail)
        await database.sqlite.write(insert)
        assert await database.sqlite.read(count) == 1
