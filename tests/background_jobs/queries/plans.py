"""How a database carries out what is searched, by its own account."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, event

from modhost.database import Database
from modhost_background_jobs.queries.search import JobBrowser, Search

_SENT: ContextVar[list[tuple[str, Any]] | None] = ContextVar("sent", default=None)


def _note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
    sent = _SENT.get()
    if sent is not None and statement != "BEGIN":
        sent.append((statement, parameters))


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collect what this task and those that it starts send to the database by SQLAlchemy.

    The services of a host, which read the database meanwhile, are other tasks.
    """
    sent: list[tuple[str, Any]] = []
    token = _SENT.set(sent)
    event.listen(Engine, "before_cursor_execute", _note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", _note)
        _SENT.reset(token)


async def plan_of(database: Database, search: Search) -> str:
    """Return how SQLite finds the jobs of a search."""
    with statements() as sent:
        await JobBrowser(database).older(search, None, 20)
    return "\n".join(await plans_of(database, sent))


async def plans_of(database: Database, sent: list[tuple[str, Any]]) -> list[str]:
    """Return how SQLite carries out what selects."""
    plans = []
    async with database.reading() as session:
        connection = await session.connection()
        for statement, parameters in sent:
            if statement.startswith("SELECT"):
                explain = f"EXPLAIN QUERY PLAN {statement}"
                rows = await connection.exec_driver_sql(explain, parameters)
                plans.append("\n".join(row.detail for row in rows))
    return plans


async def postgres_plans_of(database: Database, sent: list[tuple[str, Any]]) -> str:
    """Return how PostgreSQL carries out what selects, where it goes through no whole table."""
    plans: list[str] = []
    async with database.reading() as session:
        connection = await session.connection()
        for way in ("seqscan", "bitmapscan"):
            await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        for statement, parameters in sent:
            if statement.startswith(("SELECT", "WITH")):
                explain = f"EXPLAIN (COSTS OFF) {statement}"
                plans += (await connection.exec_driver_sql(explain, parameters)).scalars()
    return "\n".join(plans)


def assert_read_by(plans: Sequence[str], *ways: str) -> None:
    """No part is gone through but in one of these ways."""
    for plan in plans:
        for step in plan.splitlines():
            is_read = step.startswith(("SCAN background", "SEARCH background"))
            assert not is_read or any(way in step for way in ways), plan
