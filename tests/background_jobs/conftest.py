"""A migrated database of each kind, with the queue's parts over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from background_jobs.commands import Commands
from background_jobs.support import add_worker, jobs_database
from modhost.database import Database
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore, open_store, open_wakeups
from modhost_background_jobs.storage.retention import RetentionStore, open_retention
from moving_clock import MovingClock


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with jobs_database(database_url).open() as database:
        yield database


@pytest.fixture
async def store(database: Database) -> JobStore:
    """A store with the worker w1 registered."""
    store = open_store(database)
    await add_worker(store)
    return store


@pytest.fixture
def deletion(database: Database) -> RetentionStore:
    return open_retention(database)


@pytest.fixture
def queue(database: Database, store: JobStore, clock: MovingClock) -> DatabaseJobQueue:
    return DatabaseJobQueue(database, store, open_wakeups(database), clock)


@pytest.fixture
def listing(database: Database) -> JobListing:
    return JobListing(database)


@pytest.fixture
def details(database: Database) -> JobDetailReader:
    return JobDetailReader(database)


@pytest.fixture
def commands(database_url: str, tmp_path: Path) -> Commands:
    """The command line beside hosts with that database."""
    config = tmp_path / "host.toml"
    config.write_text(
        f'[host]\nenvironment = "development"\ndatabase_url = "{database_url}"\n'
        '[host.modules]\ndisabled = ["reports_example"]\n'
    )
    return Commands(config)


@pytest.fixture
def schedules(database: Database, clock: MovingClock) -> RecurringSchedules:
    return RecurringSchedules(database, clock)


@pytest.fixture
def changes(database: Database, firing: RecurringFiring, clock: MovingClock) -> ScheduleChanges:
    return ScheduleChanges(database, firing, clock)


@pytest.fixture
def firing(
    database: Database, store: JobStore, queue: DatabaseJobQueue, clock: MovingClock
) -> RecurringFiring:
    return RecurringFiring(database, store, queue, clock)
