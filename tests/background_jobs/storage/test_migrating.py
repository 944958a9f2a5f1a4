"""A database of an earlier version, with what is in it."""

from uuid import UUID

import pytest
from sqlalchemy import column, insert, table

from background_jobs.support import jobs_database
from modhost import new_id
from modhost.database import Database, Identifier, UtcDateTime
from modhost.database.migrations import migrate
from modhost.database.migrations.histories import histories_of
from modhost.database.migrations.running import upgrade
from modhost.database.schemas import Migrations
from modhost_background_jobs.queue.schedules import RecurringSchedules
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

MODULE = Migrations("background_jobs", "modhost_background_jobs.migrations")
VALUES = {
    "name": "Nightly",
    "job_type": "tests.Job",
    "module_name": "tests",
    "cron_expression": "@daily",
    "time_zone": "UTC",
    "overlap": "skip",
    "catch_up": "one",
    "max_attempts": 3,
    "is_enabled": True,
}
TIMES = ("next_run_at", "created_at")
OF_THEN = table(
    "recurring_jobs",
    column("id", Identifier()),
    *(column(name, UtcDateTime()) for name in TIMES),
    *map(column, VALUES),
    schema="background_jobs",
)


async def add_schedule(database: Database) -> UUID:
    id_ = new_id()
    async with database.engine.begin() as connection:
        row = {**VALUES, "id": id_, **dict.fromkeys(TIMES, START)}
        await connection.execute(insert(OF_THEN).values(row))
    return id_


async def test_schedules_keep_their_ids_when_names_become_those_of_modules(
    empty_database_url: str,
) -> None:
    history = histories_of([MODULE])[MODULE]
    async with jobs_database(empty_database_url).open() as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(upgrade, MODULE, history, "0006")
        before = await add_schedule(database)
        (done,) = await migrate(database, [MODULE])
        assert (done.current, done.module) == ("0006", "background_jobs")
        schedules = RecurringSchedules(database, MovingClock())
        (row,) = await schedules.all()
        assert (row.id, row.name, row.module_name) == (before, "Nightly", "tests")
        assert (row.next_run_at, row.last_due_at, row.is_enabled) == (START, None, True)
