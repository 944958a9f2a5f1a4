"""PostgreSQL's driver replaced by a faulty link to a real server."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import anyio

from modhost.database import PostgresAccess
from modhost_background_jobs.model import Heartbeat, Rescue
from modhost_background_jobs.storage import JobStore, LaneStore
from modhost_background_jobs.storage.postgres import (
    lease_statements,
    maintenance_statements,
    statements,
)
from modhost_background_jobs.storage.postgres.lanes.store import PostgresLaneStore
from modhost_background_jobs.storage.postgres.store import PostgresJobStore
from simulation.history import History, rescuing
from simulation.links.faults import Link
from simulation.rows import ROWS
from simulation.world import World

T = TypeVar("T")

# Claims count rates by the clock of the server: this one shows virtual time.
_CLOCK: Final = """
CREATE SCHEMA IF NOT EXISTS simulation;
CREATE OR REPLACE FUNCTION simulation.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT current_setting('simulation.now')::timestamptz $$;
SET search_path = simulation, pg_catalog, public;
"""
_SET_CLOCK: Final = "SELECT set_config('simulation.now', $1, false)"

_CHANGES_NO_JOB: Final = {
    statements.LEASES,
    maintenance_statements.HEARTBEATS,
    statements.NEXT_DUE,
    maintenance_statements.BEAT,
    maintenance_statements.REGISTER,
    maintenance_statements.UNREGISTER,
    lease_statements.SAVE_PROGRESS,
    lease_statements.APPEND_LOGS,
    statements.NOTE_BEGIN,
}


class PostgresStore(PostgresJobStore):
    """The store of PostgreSQL, which marks its rescues."""

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        with rescuing():
            return await super().rescue(seen, max_rescues, now)


class PostgresBackend:
    """One connection for all processes, in the event loop of the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.do = world.do
        self.connection = self.do(world.database.postgres.connect)
        self.do(self.connection.execute, _CLOCK)
        self.counts_by_own_clock = False
        """Whether rates are counted by the clock of the process, as they must not be."""

    def set_clock(self, link: Link) -> None:
        """Let the clock of the server show the time."""
        ahead = timedelta(seconds=link.skew if self.counts_by_own_clock else 0)
        now = self._world.clock.now() + ahead
        self.do(self.connection.execute, _SET_CLOCK, now.isoformat())

    def store(self, link: Link, history: History) -> JobStore:
        return PostgresStore(_Postgres(self, link, history))

    def lane_store(self, link: Link, history: History) -> LaneStore:
        return PostgresLaneStore(_Postgres(self, link, history))

    def lines(self) -> set[tuple[UUID, str]]:
        rows = self.do(self.connection.fetch, "SELECT job_id, message FROM background_jobs.logs")
        return {(UUID(str(row[0])), row[1]) for row in rows}

    def steps(self) -> dict[tuple[UUID, str], int]:
        read = "SELECT job_id, name, fence FROM background_jobs.job_steps"
        rows = self.do(self.connection.fetch, read)
        return {(UUID(str(row[0])), row[1]): row[2] for row in rows}

    def close(self) -> None:
        self.do(self.connection.close)

    def observe(self, history: History, by: str) -> None:
        rows = self.do(self.connection.fetch, ROWS.format(prefix="background_jobs."))
        history.record(rows, by)


class _Postgres(PostgresAccess):
    """Stands for `PostgresAccess`, and for the connection that it lends."""

    def __init__(self, backend: PostgresBackend, link: Link, history: History) -> None:
        self._backend = backend
        self._link = link
        self._history = history

    @asynccontextmanager
    async def acquire(self, timeout: float | None = None) -> AsyncIterator["_Connection"]:
        yield _Connection(self._backend, self._link, self._history)


class _Connection:
    """A connection, as one task uses it."""

    def __init__(self, backend: PostgresBackend, link: Link, history: History) -> None:
        self._backend = backend
        self._link = link
        self._history = history
        self._is_in_transaction = False

    async def fetch(self, statement: str, *arguments: Any, timeout: float | None = None) -> Any:
        return await self._call(self._backend.connection.fetch, statement, arguments, timeout)

    async def fetchval(self, statement: str, *arguments: Any, timeout: float | None = None) -> Any:
        return await self._call(self._backend.connection.fetchval, statement, arguments, timeout)

    async def execute(self, statement: str, *arguments: Any) -> Any:
        return await self._call(self._backend.connection.execute, statement, arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        await self._link.call(lambda: None)
        async with self._link.turn():
            self._do("BEGIN")
            self._is_in_transaction = True
            try:
                yield
                await self._link.call(self._commit, in_turn=True)
            finally:
                if self._is_in_transaction:
                    self._is_in_transaction = False
                    self._do("ROLLBACK")

    async def _call(
        self,
        method: Callable[..., Coroutine[Any, Any, Any]],
        statement: str,
        arguments: tuple[Any, ...],
        timeout: float | None = None,
    ) -> Any:
        def perform() -> Any:
            if "clock_timestamp" in statement:
                self._backend.set_clock(self._link)
            answer = self._backend.do(method, statement, *arguments)
            if not self._is_in_transaction and statement not in _CHANGES_NO_JOB:
                self._backend.observe(self._history, self._link.name)
            return answer

        with anyio.fail_after(timeout):
            return await self._link.call(perform, in_turn=self._is_in_transaction)

    def _commit(self) -> None:
        self._do("COMMIT")
        self._is_in_transaction = False
        self._backend.observe(self._history, self._link.name)

    def _do(self, statement: str) -> None:
        self._backend.do(self._backend.connection.execute, statement)
