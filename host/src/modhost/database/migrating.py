"""Migrations: each module's tables brought to its newest revision, by alembic, once."""

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
from modhost.database.revisions import Migrations, Pending, UnknownRevision

# Any number will do, as long as it is always the same.
_ADVISORY_LOCK: Final = 0x6D6F64686F7374
_RUNNING: Final = threading.Lock()
POLL_INTERVAL: Final = 0.01


async def pending(database: Database, modules: Sequence[Migrations]) -> list[Pending]:
    """Return the modules whose tables are not at the newest revision.

    Raises `UnknownRevision` for a database that a newer version has migrated.
    """
    _know(database, modules)
    async with database.engine.connect() as connection:
        return await connection.run_sync(_pending, modules)


async def migrate(database: Database, modules: Sequence[Migrations]) -> list[Pending]:
    """Apply what is pending, all or nothing, and return what that was.

    Processes that do so at the same time wait for each other. Raises `UnknownRevision`.
    """
    _know(database, modules)
    async with _alone(), database.engine.begin() as connection:
        return await connection.run_sync(_migrate, modules)


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Let one migration at a time run in this process, in whichever loop: alembic's `op` is one."""
    while not _RUNNING.acquire(blocking=False):  # noqa: ASYNC110 - no event tells of other threads
        await anyio.sleep(POLL_INTERVAL)
    try:
        yield
    finally:
        _RUNNING.release()


def _know(database: Database, modules: Sequence[Migrations]) -> None:
    for module in modules:
        database.know_schema(module.module)


def _pending(connection: Connection, modules: Sequence[Migrations]) -> list[Pending]:
    found = [_pending_of(connection, module) for module in modules]
    return [each for each in found if each is not None]


def _pending_of(connection: Connection, module: Migrations) -> Pending | None:
    script = _script(module)
    wanted = script.get_current_head()
    if wanted is None:
        return None
    current = _current(connection, module)
    if current == wanted:
        return None
    if current is not None:
        _refuse_unknown(script, module, current)
    return Pending(module.module, current, wanted)


def _migrate(connection: Connection, modules: Sequence[Migrations]) -> list[Pending]:
    if connection.dialect.name == "postgresql":
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

    with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
        environment.configure(
            connection=connection,
            version_table=_version_table(connection, module),
            version_table_schema=_version_schema(connection, module),
            transactional_ddl=True,
        )
        environment.run_migrations()


def _current(connection: Connection, module: Migrations) -> str | None:
    table, schema = _version_table(connection, module), _version_schema(connection, module)
    if not inspect(connection).has_table(table, schema=schema):
        return None
    context = MigrationContext.configure(
        connection, opts={"version_table": table, "version_table_schema": schema}
    )
    return context.get_current_revision()


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


def _version_table(connection: Connection, module: Migrations) -> str:
    if connection.dialect.name == "postgresql":
        return "alembic_version"
    return f"{module.module}_alembic_version"


def _version_schema(connection: Connection, module: Migrations) -> str | None:
    return module.module if connection.dialect.name == "postgresql" else None
