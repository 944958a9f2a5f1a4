"""Plain writes to SQLite: joined in one transaction, each all or nothing by itself."""

import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import text

from modhost.calls.own_loop import OwnLoop
from modhost.database import Database, SqliteAccess
from modhost.database.sqlite.write_lock import WriteLock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """A database with an empty table of numbers."""
    async with Database(sqlite_url).open() as database:
        await database.sqlite.write(
            lambda connection: connection.execute("CREATE TABLE numbers (number INTEGER UNIQUE)")
        )
        yield database


def insert(number: int, connection: sqlite3.Connection) -> int:
    connection.execute("INSERT INTO numbers VALUES (?)", [number])
    return number


def count_tables(connection: sqlite3.Connection) -> int:
    counted: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return counted


async def numbers(database: Database) -> list[int]:
    rows = await database.sqlite.read(
        lambda connection: connection.execute("SELECT number FROM numbers").fetchall()
    )
    return sorted(row[0] for row in rows)


async def write_together(
    database: Database, *works: Callable[[sqlite3.Connection], object]
) -> list[object]:
    """Write all at once, while the thread is held up; return what each returned or raised."""
    begun, gate = threading.Event(), threading.Event()
    came: dict[int, object] = {}

    def hold_up(_: sqlite3.Connection) -> None:
        begun.set()
        gate.wait(10)

    async def write(index: int, work: Callable[[sqlite3.Connection], object]) -> None:
        try:
            came[index] = await database.sqlite.write(work)
        except Exception as error:  # noqa: BLE001 - checked by the test
            came[index] = error

    async with anyio.create_task_group() as group:
        group.start_soon(database.sqlite.write, hold_up)
        with anyio.fail_after(10):
            while not begun.is_set():
                await anyio.sleep(0.001)
        for index, work in enumerate(works):
            group.start_soon(write, index, work)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    return [came[index] for index in range(len(works))]


async def test_a_write_alone_has_a_transaction_and_no_savepoint_within(database: Database) -> None:
    """A savepoint around it was two more statements for each write of an idle worker."""
    statements: list[str] = []
    await database.sqlite.write(lambda connection: connection.set_trace_callback(statements.append))
    statements.clear()
    await database.sqlite.write(partial(insert, 1))
    assert statements[-3:] == ["BEGIN IMMEDIATE", "INSERT INTO numbers VALUES (1)", "COMMIT"]


async def test_a_write_alone_that_raises_is_rolled_back(database: Database) -> None:
    def insert_and_raise(connection: sqlite3.Connection) -> None:
        insert(1, connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.sqlite.write(insert_and_raise)
    await database.sqlite.write(partial(insert, 2))
    assert await numbers(database) == [2]


async def test_writes_that_come_together_share_a_transaction(database: Database) -> None:
    statements: list[str] = []
    await database.sqlite.write(lambda connection: connection.set_trace_callback(statements.append))
    came = await write_together(database, *(partial(insert, number) for number in range(5)))
    assert came == [0, 1, 2, 3, 4]
    assert await numbers(database) == [0, 1, 2, 3, 4]
    # One of the write that held the thread up, one of all the others.
    assert statements.count("BEGIN IMMEDIATE") == 2


async def test_a_write_that_raises_is_rolled_back_alone(database: Database) -> None:
    def insert_and_raise(connection: sqlite3.Connection) -> None:
        insert(100, connection)
        raise ZeroDivisionError

    came = await write_together(
        database,
        partial(insert, 1),
        insert_and_raise,
        lambda connection: (insert(2, connection), insert(1, connection)),
        partial(insert, 3),
    )
    assert (came[0], came[3]) == (1, 3)
    assert isinstance(came[1], ZeroDivisionError)
    assert isinstance(came[2], sqlite3.IntegrityError)
    assert await numbers(database) == [1, 3]


async def test_what_undoes_the_transaction_fails_all_who_share_it(database: Database) -> None:
    def undo(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        msg = "disk full"
        raise sqlite3.OperationalError(msg)

    came = await write_together(database, partial(insert, 1), undo, partial(insert, 2))
    assert all(isinstance(each, sqlite3.OperationalError) for each in came)
    assert await numbers(database) == []
    assert await database.sqlite.write(partial(insert, 3)) == 3


async def test_a_write_returns_after_the_commit(database: Database, sqlite_url: str) -> None:
    async with Database(sqlite_url).open() as other:
        await write_together(database, partial(insert, 1), partial(insert, 2))
        assert await numbers(other) == [1, 2]


async def test_a_session_comes_between_writes_that_never_pause(database: Database) -> None:
    done = anyio.Event()

    async def write_on(first: int) -> None:
        number = first
        while not done.is_set():
            await database.sqlite.write(partial(insert, number))
            number += 2

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(write_on, 0)
            group.start_soon(write_on, 1)
            while len(await numbers(database)) < 10:
                await anyio.lowlevel.checkpoint()
            async with database.session() as session:
                before = await numbers(database)
                await (await session.connection()).execute(text("SELECT 1"))
                assert await numbers(database) == before
            done.set()


async def test_writes_that_waited_for_a_session_share_the_turn_after_it(
    database: Database,
) -> None:
    statements: list[str] = []
    await database.sqlite.write(lambda connection: connection.set_trace_callback(statements.append))
    async with anyio.create_task_group() as group:
        async with database.session():
            for number in range(10):
                group.start_soon(database.sqlite.write, partial(insert, number))
            await anyio.wait_all_tasks_blocked()
    assert await numbers(database) == list(range(10))
    assert statements.count("BEGIN IMMEDIATE") < 10


async def test_a_write_of_a_child_task_within_a_session_learns_that_it_waits_for_its_parent() -> (
    None
):
    """Shielded, it waited forever: the parent waited for the child, the child for the session."""
    turn = WriteLock(deadline=0.05)

    async def write() -> None:
        with anyio.CancelScope(shield=True):
            async with turn.shared():
                pass

    async with turn:
        with pytest.raises(ExceptionGroup) as caught:
            async with anyio.create_task_group() as group:
                group.start_soon(write)
        assert caught.group_contains(TimeoutError, match="takes session=")
    await write()


async def test_a_file_that_cannot_be_opened_is_reported_to_each_who_asks(tmp_path: Path) -> None:
    """The thread used to die of it, and whoever asked waited forever."""
    folder = tmp_path / "test.db"
    folder.mkdir()
    sqlite = SqliteAccess(folder, WriteLock(), OwnLoop("It"))
    with anyio.fail_after(10):
        for ask in (sqlite.read, sqlite.write, sqlite.read, sqlite.write):
            with pytest.raises(sqlite3.OperationalError):
                await ask(partial(insert, 1))
        folder.rmdir()
        await sqlite.write(lambda connection: connection.execute("CREATE TABLE numbers (number)"))
        assert await sqlite.write(partial(insert, 1)) == 1
    sqlite.close()


async def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    """SQLite refuses, without waiting, whoever turns a file to WAL while another does."""

    async def read(database: Database) -> None:
        async with database.open_bare():
            assert await database.sqlite.read(count_tables) == 0

    for number in range(60):
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(read, Database(f"sqlite:///{tmp_path / str(number)}.db"))
