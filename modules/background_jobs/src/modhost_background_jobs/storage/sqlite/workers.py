"""The rows of workers on SQLite: they register, send heartbeats, and leave."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from modhost.database import SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs import model
from modhost_background_jobs.storage.sqlite import statements
from modhost_background_jobs.storage.store import NO_VITALS


class WorkerWrites:
    """Implements what `JobStore` has of workers."""

    _sqlite: SqliteAccess

    async def register(self, worker: model.WorkerInfo, now: datetime) -> None:
        """Insert the worker's row."""
        row = [
            worker.name,
            worker.host,
            worker.process,
            worker.version,
            to_sqlite(now),
            worker.max_concurrency,
            ",".join(worker.job_types),
            model.first_beat(),
            ",".join(worker.queues),
            worker.app_version,
        ]
        await self._sqlite.write(lambda connection: _register(connection, row))

    async def beat(
        self, worker: str, now: datetime, vitals: model.Vitals = NO_VITALS
    ) -> model.Known | None:
        """Update the worker's row."""
        moments = [None if each is None else to_sqlite(each) for each in vitals[1:]]
        values = [worker, to_sqlite(now), vitals.memory, *moments]
        rows = await self._sqlite.execute_returning(statements.BEAT, values)
        return model.Known(rows[0][0] is not None) if rows else None

    async def note_skew(self, worker: str, seconds: float) -> None:
        """Update the worker's row."""
        await self._sqlite.execute(statements.NOTE_SKEW, [worker, seconds])

    async def dated_heartbeats(self) -> list[model.DatedHeartbeat]:
        """Read all workers."""
        rows = await self._sqlite.fetch(statements.DATED_HEARTBEATS)
        return [model.DatedHeartbeat(row[0], row[1], from_sqlite(row[2])) for row in rows]

    async def note_unresponsive(self, worker: str, attempts: int) -> None:
        """Update the worker's row."""
        await self._sqlite.execute(statements.NOTE_UNRESPONSIVE, [worker, attempts])

    async def unregister(
        self, worker: str, now: datetime, departure: model.Departure, jobs: int = 0
    ) -> None:
        """Move the worker's row to those that are gone."""
        values = [worker, to_sqlite(now), departure.value, jobs]
        await self._sqlite.write(lambda connection: _unregister(connection, values))

    async def heartbeats(self) -> list[model.Heartbeat]:
        """Read all workers."""
        return [model.Heartbeat(*row) for row in await self._sqlite.fetch(statements.HEARTBEATS)]


def bury(connection: sqlite3.Connection, seen: model.Heartbeat, now: datetime) -> bool:
    """Remove a worker that is still as it was seen; return whether its jobs may be taken."""
    if seen.beats == model.UNREGISTERED:
        return not connection.execute(statements.IS_REGISTERED, [seen.worker]).fetchone()
    if not connection.execute(statements.IS_SILENT, [seen.worker, seen.beats]).fetchone():
        return False
    _unregister(connection, [seen.worker, to_sqlite(now), model.Departure.DIED.value, 0])
    return True


def _register(connection: sqlite3.Connection, row: Sequence[Any]) -> None:
    """Insert the row of a worker, which may have been taken for dead before."""
    connection.execute(statements.REGISTER, row)
    connection.execute(statements.COME_BACK, row[:1])


def _unregister(connection: sqlite3.Connection, values: Sequence[Any]) -> None:
    """Move the row of a worker to those that are gone, by the values of `DEPART`."""
    connection.execute(statements.DEPART, values)
    connection.execute(statements.UNREGISTER, values[:1])
