"""What a page asks of the database, and how much work that is for it."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import anyio.to_thread
import asyncpg
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from modhost.database.sqlite.connection import connect

_STEPS_A_CALL = 20


class Asked(NamedTuple):
    """A statement with its values, as the driver was given both."""

    statement: str
    values: tuple[Any, ...]


_ASKED: ContextVar[list[Asked] | None] = ContextVar("asked", default=None)


def _note(
    _connection: object, _cursor: object, statement: str, values: Any, _: object, is_many: bool
) -> None:
    asked = _ASKED.get()
    if asked is not None and not is_many and statement.lstrip("( ").startswith(("SELECT", "WITH")):
        asked.append(Asked(statement, tuple(values)))


@contextmanager
def listening() -> Iterator[None]:
    """Note the statements of whoever asks for it until the end of the block."""
    event.listen(Engine, "before_cursor_execute", _note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _note)


@contextmanager
def asked() -> Iterator[list[Asked]]:
    """Collect what this task reads until the end of the block."""
    collected: list[Asked] = []
    token = _ASKED.set(collected)
    try:
        yield collected
    finally:
        _ASKED.reset(token)


class Meter:
    """Runs statements again, and counts the rows or steps that the database goes through."""

    def __init__(self, postgres: asyncpg.Connection | None, path: str | None) -> None:
        self._postgres = postgres
        self._path = path

    async def work_of(self, statement: Asked) -> int:
        """Return the rows that PostgreSQL visits, or the steps of SQLite's machine."""
        if self._postgres is not None:
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.statement}"
            (found,) = await self._postgres.fetchrow(explain, *statement.values)
            return _rows_of(json.loads(found)[0]["Plan"])
        return await anyio.to_thread.run_sync(self._steps, statement)

    def _steps(self, statement: Asked) -> int:
        calls = 0

        def count() -> int:
            nonlocal calls
            calls += 1
            return 0

        connection = connect(Path(self._path or ""), query_only=True)
        try:
            connection.set_progress_handler(count, _STEPS_A_CALL)
            connection.execute(statement.statement, statement.values).fetchall()
        finally:
            connection.close()
        return calls * _STEPS_A_CALL


def _rows_of(plan: dict[str, Any]) -> int:
    """Return the rows that a plan and its parts have gone through."""
    loops = plan["Actual Loops"]
    removed = sum(value for name, value in plan.items() if name.startswith("Rows Removed by"))
    rows = int((plan["Actual Rows"] + removed) * loops)
    return rows + sum(_rows_of(each) for each in plan.get("Plans", ()))


@asynccontextmanager
async def meter(database_url: str) -> AsyncIterator[Meter]:
    """Measure statements of a database."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        yield Meter(None, url.database)
        return
    connection = await asyncpg.connect(database_url)
    try:
        yield Meter(connection, None)
    finally:
        await connection.close()
