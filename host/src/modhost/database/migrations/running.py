"""Bring each module's tables to its newest revision, by alembic."""

import asyncio
import logging
import re
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from modhost.checks import Finding, StartupError, rules
from modhost.database.database import Database
from modhost.database.errors import ForeignKeyViolated
from modhost.database.failures import is_locked, may_pass, sqlstate_of
from modhost.database.migrations.histories import (
    VERSIONS,
    histories_of,
    pending_among,
    place_in,
    summary_of,
)
from modhost.database.migrations.postgres_operations import postgres_operations
from modhost.database.migrations.rights import rights_to_migrate
from modhost.database.migrations.sqlite_operations import SqliteOperations
from modhost.database.schemas import Migrations, Pending

logger = logging.getLogger(__name__)

# Any number will do, as long as it is always the same.
_ADVISORY_LOCK: Final = 0x6D6F64686F7374
_TEXT_WITH_SCHEMA: Final = re.compile(r"unknown database|no such table: \w+\.\w+")
_NOT_ALLOWED: Final = "42501"
_PROCESS_LOCK: Final = threading.Lock()
POLL_INTERVAL: Final = 0.01
PATIENCE_SECONDS: Final = 1.0
# A revision may take long, also between two statements, or wait for a table. Of these settings each
# server has those that it knows.
_WITHOUT_LIMITS: Final = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
    'transaction_timeout')
"""


async def pending(database: Database, modules: Sequence[Migrations]) -> list[Pending]:
    """Return the modules whose tables are not at the newest revision.

    Raises:
        StartupError: for revisions that cannot be applied.
        UnknownRevision: for a database that a newer version has migrated.

    """
    histories = histories_of(modules)
    async with database.reading() as session:
        return await (await session.connection()).run_sync(pending_among, histories)


async def migrate(database: Database, modules: Sequence[Migrations]) -> list[Pending]:
    """Apply what is pending, all or nothing, and return what that was.

    Processes that migrate at the same time wait for each other. Raises what `pending` raises, and
    `StartupError` for a revision that fails.
    """
    histories = histories_of(modules)
    async with _connected(database) as connection:
        transaction = await _begin(connection)
        try:
            applied = await connection.run_sync(_migrate, histories)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await transaction.rollback()
            raise
        await transaction.commit()
        return applied


async def rehearse(database: Database, modules: Sequence[Migrations]) -> None:
    """Apply what is pending, and undo it. Raises what `migrate` raises."""
    histories = histories_of(modules)
    async with _connected(database) as connection:
        transaction = await _begin(connection)
        try:
            await connection.run_sync(_migrate, histories)
        finally:
            await transaction.rollback()


@asynccontextmanager
async def _connected(database: Database) -> AsyncIterator[AsyncConnection]:
    """Offer the connection for the one migration of this process."""
    async with _one_at_a_time(), database.migrating() as connection:
        await connection.run_sync(_enforce_foreign_keys, "OFF")
        try:
            yield connection
        finally:
            if not connection.invalidated:
                await connection.run_sync(_enforce_foreign_keys, "ON")


@asynccontextmanager
async def _one_at_a_time() -> AsyncIterator[None]:
    """Serialise migrations of this process, in whichever loop: alembic's `op` is global."""
    while not _PROCESS_LOCK.acquire(blocking=False):  # noqa: ASYNC110 - held by other threads
        await anyio.sleep(POLL_INTERVAL)
    try:
        yield
    finally:
        _PROCESS_LOCK.release()


async def _begin(connection: AsyncConnection) -> AsyncTransaction:
    """Begin, and wait for the writer of a file as long as that takes."""
    message = "Another process has locked the database; the migration waits for it."
    report = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, logger.warning, message)
    try:
        while True:
            try:
                return await connection.begin().start()
            except OperationalError as error:
                if not is_locked(error):
                    raise
    finally:
        report.cancel()


def _enforce_foreign_keys(connection: Connection, state: str) -> None:
    """Let SQLite, which copies a table by dropping it, keep the rows that refer to it.

    It takes this outside of transactions only, which SQLAlchemy's own execution begins.
    """
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {state}")
        cursor.close()


def _migrate(connection: Connection, histories: dict[Migrations, ScriptDirectory]) -> list[Pending]:
    if connection.dialect.name == "postgresql":
        connection.execute(text(_WITHOUT_LIMITS))
        key = {"key": _ADVISORY_LOCK}
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), key).scalar():
            logger.warning("Another process migrates this database; the migration waits for it.")
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
    due = pending_among(connection, histories)
    names = {each.module for each in due}
    missing = rights_to_migrate(connection, sorted(names))
    try:
        for module, history in histories.items():
            if module.module in names:
                upgrade(connection, module, history)
    except (StartupError, DBAPIError) as error:
        if missing and _NOT_ALLOWED in (sqlstate_of(error), sqlstate_of(error.__cause__ or error)):
            raise StartupError(missing) from error
        raise
    return due


def upgrade(
    connection: Connection, module: Migrations, history: ScriptDirectory, revision: str = "head"
) -> None:
    """Apply the revisions of one module up to one. Raises `StartupError` for one that fails."""
    running = "none"

    def steps(current: Any, _context: MigrationContext) -> Iterator[Any]:
        nonlocal running
        for step in history._upgrade_revs(revision, current):
            running = step.revision.revision
            yield step

    if connection.dialect.name == "postgresql" and not inspect(connection).has_schema(
        module.module
    ):
        # The module's name is checked at start: lower-case letters, digits and underscores.
        connection.execute(text(f'CREATE SCHEMA "{module.module}"'))
    environment = EnvironmentContext(Config(), history, fn=steps, destination_rev=revision)
    try:
        with environment:
            environment.configure(
                connection=connection,
                transactional_ddl=True,
                version_table=VERSIONS,
                version_table_schema=module.module,
            )
            context = environment.get_context()
            with _operations(context, connection):
                context.run_migrations()
        _check_foreign_keys(connection)
    except Exception as error:
        if may_pass(error):
            raise
        folder = Path(history.version_locations[0])
        raise StartupError([_failed(module, running, folder, error)]) from error


def _operations(context: MigrationContext, connection: Connection) -> AbstractContextManager[Any]:
    """Let `alembic.op` be the operations of the database."""
    if connection.dialect.name == "sqlite":
        return SqliteOperations.over(context, connection)
    return postgres_operations(context, connection)


def _check_foreign_keys(connection: Connection) -> None:
    """Raise `ForeignKeyViolated` for rows of SQLite, which did not check them meanwhile."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        msg = f"a row of {broken[0]} refers to one of {broken[2]} that is not there"
        raise ForeignKeyViolated(msg)


def _failed(module: Migrations, revision: str, folder: Path, error: Exception) -> Finding:
    place = place_in(folder, error)
    remedy = "Nothing was changed. Fix the revision, or install another version of the package."
    if _TEXT_WITH_SCHEMA.search(str(error)):
        remedy = "Nothing was changed. Text is sent as it is, and SQLite has no schemas: write the "
        remedy += f'statement with sa.table(…, schema="{module.module}").'
    detail = f"revision {revision} raised {summary_of(error)}"
    return Finding(
        rules.REVISION_FAILED,
        f"{detail[:-1]} ({place})." if place else detail,
        remedy,
        module.module,
        module.distribution,
    )
