"""A database of an earlier version, with what is in it."""

from uuid import UUID

import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection, text

from background_jobs.support import jobs_database
from modhost import new_id
from modhost.database import Database
from modhost.database.migrations import _script, _version_table, migrate
from modhost.database.schemas import Migrations
from modhost_background_jobs.queue.schedules import RecurringSchedules
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

MODULE = Migrations("background_jobs", "modhost_background_jobs.migrations")
ADD = text(
    "INSERT INTO background_jobs.recurring_jobs (id, name, job_type, module_name, cron_expression, "
    "time_zone, overlap, catch_up, max_attempts, is_enabled, next_run_at, created_at) VALUES "
    "(:id, 'Nightly', 'tests.Job', 'tests', '@daily', 'UTC', 'skip', 'one', 3, true, :at, :at)"
)


def upgrade_to(revision: str, connection: Connection) -> None:
    script = _script(MODULE)
    table, schema = _version_table(connection, MODULE)
    if schema is not None:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    steps = {"fn": lambda now, _: script._upgrade_revs(revision, now)}
    with EnvironmentContext(Config(), script, destination_rev=revision, **steps) as environment:
        environment.configure(
            connection=connection, version_table=table, version_table_schema=schema
        )
        environment.run_migrations()


async def add_schedule(database: Database) -> UUID:
    id_ = new_id()
    async with database.engine.begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        at = START.strftime("%Y-%m-%d %H:%M:%S.%f") if is_sqlite else START
        await connection.execute(ADD, {"id": str(id_) if is_sqlite else id_, "at": at})
    return id_


async def test_schedules_keep_their_ids_when_names_become_those_of_modules(
    empty_database_url: str,
) -> None:
    async with jobs_database(empty_database_url).open() as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(lambda each: upgrade_to("0006", each))
        before = await add_schedule(database)
        (done,) = await migrate(database, [MODULE])
        assert (done.current, done.module) == ("0006", "background_jobs")
        schedules = RecurringSchedules(database, MovingClock())
        (row,) = await schedules.all()
        assert (row.id, row.name, row.module_name) == (before, "Nightly", "tests")
        assert (row.next_run_at, row.last_due_at, row.is_enabled) == (START, None, True)
