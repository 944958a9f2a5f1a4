"""Bring each module's tables to its newest revision, by alembic."""

import importlib
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import anyio
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from modhost.database.database import Database
from modhost.database.errors import UnknownRevision
from modhost.database.schemas import Migrations, Pending

# Any number will do, as long as it is always the same.
_ADVISORY_LOCK: Final = 0x6D6F64686F7374
_PROCESS_LOCK: Final = threading.Lock()
POLL_INTERVAL: Final = 0.01


async def pending(database: Database, modules: Sequence[Migrations]) -> list[Pending]:
    """Return the modules whose tables are not at the newest revision.

    Raises `UnknownRevision` for a database that a newer version has migrated.
    """
    _know_schemas(database, modules)
    async with database.reading() as session:
        return await (await session.connection()).run_sync(_pending, modules)


async def migrate(database: Database, modules: Sequence[Migrations]) -> list[Pending]:
    """Apply what is pending, all or nothing, and return what that was.

    Processes that migrate at the same time wait for each other. Raises `UnknownRevision`.
    """
    _know_schemas(database, modules)
    async with _one_at_a_time(), database.engine.begin() as connection:
        return await connection.run_sync(_migrate, modules)


@asynccontextmanager
async def _one_at_a_time() -> AsyncIterator[None]:
    """Serialise migrations of this process, in whichever loop: alembic's `op` is global."""
    while not _PROCESS_LOCK.acquire(blocking=False):  # noqa: ASYNC110 - held by other threads
        await anyio.sleep(POLL_INTERVAL)
    try:
        yield
    finally:
        _PROCESS_LOCK.release()


def _know_schemas(database: Database, modules: Sequence[Migrations]) -> None:
    for module in modules:
        database.know_schema(module.module)


def _pending(connection: Connection, modules: Sequence[Migrations]) -> list[Pending]:
    found = []
    for module in modules:
        script = _script(module)
        wanted = script.get_current_head()
        current = _current(connection, module)
        if wanted is None or current == wanted:
            continue
        if current is not None:
            _refuse_unknown(script, module, current)
        found.append(Pending(module.module, current, wanted))
    return found


def _migrate(connection: Connection, modules: Sequence[Migrations]) -> list[Pending]:
    if connection.dialect.name == "postgresql":
        # A revision may compute for long between two statements.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    due = _pending(connection, modules)
    names = {each.module for each in due}
    for module in modules:
        if module.module in names:
            _upgrade(connection, module)
    return due


def _upgrade(connection: Connection, module: Migrations) -> None:
    script = _script(module)
    if connection.dialect.name == "postgresql":
        # The module's name is checked at start: lower-case letters, digits and underscores.
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{module.module}"'))

    def steps(revision: object, _context: MigrationContext) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]

    table, schema = _version_table(connection, module)
    with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
        environment.configure(
            connection=connection,
            version_table=table,
            version_table_schema=schema,
            transactional_ddl=True,
        )
        environment.run_migrations()


def _current(connection: Connection, module: Migrations) -> str | None:
    table, schema = _version_table(connection, module)
    if not inspect(connection).has_table(table, schema=schema):
        return None
    options = {"version_table": table, "version_table_schema": schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _version_table(connection: Connection, module: Migrations) -> tuple[str, str | None]:
    if connection.dialect.name == "postgresql":
        return "alembic_version", module.module
    return f"{module.module}_alembic_version", None


def _refuse_unknown(script: ScriptDirectory, module: Migrations, current: str) -> None:
    try:
        script.get_revision(current)
    except CommandError as error:
        msg = (
            f"The tables of {module.module} are at revision {current}, which the installed version "
            f"does not know: a newer version has migrated this database. Install that version."
        )
        raise UnknownRevision(msg) from error


@cache
def _script(module: Migrations) -> ScriptDirectory:
    package = importlib.import_module(module.package)
    folder = Path(next(iter(package.__path__)))
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
