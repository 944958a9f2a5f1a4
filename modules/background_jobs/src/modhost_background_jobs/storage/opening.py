"""Which store, and which wake-ups, fit the database."""

from modhost import Clock
from modhost.database import Database
from modhost_background_jobs.storage.end_events import NO_END_EVENTS, EndEvents
from modhost_background_jobs.storage.flow import LaneStore
from modhost_background_jobs.storage.postgres.lanes.store import PostgresLaneStore
from modhost_background_jobs.storage.postgres.notifications import Notifications, PostgresWakeups
from modhost_background_jobs.storage.postgres.store import PostgresJobStore
from modhost_background_jobs.storage.sqlite.lanes.store import SqliteLaneStore
from modhost_background_jobs.storage.sqlite.store import SqliteJobStore
from modhost_background_jobs.storage.sqlite.wakeups import SqliteWakeups
from modhost_background_jobs.storage.store import JobStore
from modhost_background_jobs.storage.wakeups import Wakeups
from modhost_background_jobs.storage.workflows.session_ending import PublishedEnds


def open_store(
    database: Database,
    notifications: Notifications | None = None,
    events: EndEvents = NO_END_EVENTS,
) -> JobStore:
    """Return the store of this database, which publishes the ends of jobs if anybody subscribed."""
    published = PublishedEnds(database, events) if events.states else None
    if database.dialect == "postgresql":
        return PostgresJobStore(database.postgres, notifications, published)
    return SqliteJobStore(database.sqlite, published)


def open_lane_store(database: Database, clock: Clock) -> LaneStore:
    """Return the store of lanes of this database, which measures waits by a clock."""
    if database.dialect == "postgresql":
        return PostgresLaneStore(database.postgres)
    return SqliteLaneStore(database.sqlite, clock)


def open_wakeups(database: Database) -> Wakeups:
    """Return the wake-ups of this database."""
    return (
        PostgresWakeups(database) if database.dialect == "postgresql" else SqliteWakeups(database)
    )
