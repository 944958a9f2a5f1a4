"""The stores as they are, telling of what they do when it is a rescue."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from modhost_background_jobs.model import Heartbeat, Rescue
from modhost_background_jobs.storage.postgres.store import PostgresJobStore
from modhost_background_jobs.storage.sqlite.store import SqliteJobStore
from simulation.workers.history import RESCUING


class SqliteStore(SqliteJobStore):
    """On SQLite."""

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        with _rescuing():
            return await super().rescue(seen, max_rescues, now)


class PostgresStore(PostgresJobStore):
    """On PostgreSQL."""

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        with _rescuing():
            return await super().rescue(seen, max_rescues, now)


@contextmanager
def _rescuing() -> Iterator[None]:
    before = RESCUING.set(True)
    try:
        yield
    finally:
        RESCUING.reset(before)
