"""Wrong ways to run a queue on SQLite, each of which looks right when nothing goes wrong."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from sqlite3 import Connection
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from background_jobs.support import TYPES
from modhost_background_jobs.maintenance.stalled_jobs import StallObserver
from modhost_background_jobs.model import (
    START,
    ClaimedJob,
    CurrentWorker,
    Heartbeat,
    Lease,
    NewJob,
    Place,
    Released,
)
from modhost_background_jobs.storage.sqlite import statements, transitions
from modhost_background_jobs.worker.claiming import claim_loop
from modhost_background_jobs.worker.finishing import finisher
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.shutdown import Shutdown
from modhost_background_jobs.worker.watching import lease_watch
from modhost_background_jobs.worker.write_retry import Written
from simulation.history import RESCUING
from simulation.links import sqlite
from simulation.links.sqlite import SqliteStore

LONG_SECONDS: Final = 25.0
RARELY: Final = 8.0
NEVER: Final = 10_000.0
_to_pending = transitions._to_pending


class AcknowledgedAnyway(SqliteStore):
    """Takes a lost answer to an insert for a good one."""

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        try:
            await super().insert(jobs)
        except ConnectionResetError:
            return


class ClaimsAnyType(SqliteStore):
    """Claims jobs of all types, whatever the worker knows."""

    async def claim(
        self,
        worker: str,
        job_types: Collection[str],
        limit: int,
        now: datetime,
        after: Place = START,
    ) -> list[ClaimedJob]:
        return await super().claim(worker, TYPES, limit, now, after)


class DeadByTheClock(StallObserver):
    """Takes workers for dead that have been there for long, as those of the longest jobs have."""

    def __init__(self, timeout: float, max_gap: float) -> None:
        super().__init__(timeout, max_gap)
        self._first_seen: dict[str, float] = {}

    def stalled(self, heartbeats: Iterable[Heartbeat], now: float) -> list[Heartbeat]:
        beats = list(heartbeats)
        for each in beats:
            self._first_seen.setdefault(each.worker, now)
        return [each for each in beats if now - self._first_seen[each.worker] > LONG_SECONDS]


@contextmanager
def acknowledged_anyway() -> Iterator[None]:
    with patch.object(sqlite, "SqliteStore", AcknowledgedAnyway):
        yield


@contextmanager
def claims_not_searched() -> Iterator[None]:
    """Forget the jobs of claims whose answer was lost."""
    with patch.object(lease_watch.LostClaims, "among", lambda *_: []):
        yield


@contextmanager
def buried_as_seen() -> Iterator[None]:
    """Rescue jobs of whoever was silent when the sweeper looked."""
    of_any = statements.IS_SILENT.replace("AND beats = ?", "AND ? >= 0")
    with patch.object(statements, "IS_SILENT", of_any):
        yield


@contextmanager
def dead_by_the_clock() -> Iterator[None]:
    with (
        patch.object(StallObserver, "stalled", DeadByTheClock.stalled),
        patch.object(StallObserver, "_first_seen", {}, create=True),
    ):
        yield


@contextmanager
def begun_in_silence() -> Iterator[None]:
    """Begin what was claimed however long no heartbeat was stored."""
    with patch.object(CurrentWorker, "may_begin", lambda own, *_: not own.is_quiet):
        yield


@contextmanager
def ended_without_fence() -> Iterator[None]:
    """Let whoever had a job end it."""
    with ExitStack() as stack:
        for name in ("END", "END_WITH_RESULTS", "HELD"):
            of_anybody = getattr(statements, name).replace("j.fence = g", "j.fence >= g")
            stack.enter_context(patch.object(statements, name, of_anybody))
        yield


@contextmanager
def rescues_that_spend() -> Iterator[None]:
    """Count a rescue as a failed attempt."""

    def to_pending(
        connection: Connection, released: list[Released], counts: Any, moment: str
    ) -> None:
        if RESCUING.get():
            released = [replace(each, spent=True) for each in released]
        _to_pending(connection, released, counts, moment)

    with patch.object(transitions, "_to_pending", to_pending):
        yield


@contextmanager
def claims_of_any_type() -> Iterator[None]:
    with patch.object(sqlite, "SqliteStore", ClaimsAnyType):
        yield


@contextmanager
def stop_requests_read_rarely() -> Iterator[None]:
    with patch.object(lease_watch, "POLL_INTERVAL", RARELY):
        yield


@contextmanager
def ends_written_once() -> Iterator[None]:
    """Write how attempts ended, and continue when that fails."""

    async def once(write: Any, what: str) -> Any:
        try:
            return await write()
        except ConnectionResetError:
            return set() if what == "progress and logs" else Written[Any](set(), [], set())

    with patch.object(finisher, "until_written", once):
        yield


@contextmanager
def logs_left_behind() -> Iterator[None]:
    """Store an end, and the last log lines some time later."""

    async def flush_nothing(_buffer: ProgressBuffer, _leases: Collection[Lease]) -> set[UUID]:
        return set()

    with patch.object(ProgressBuffer, "flush", flush_nothing):
        yield


@contextmanager
def outages_given_up() -> Iterator[None]:
    """Wait for a sign of the database after the second claim that failed."""
    with patch.object(claim_loop, "RETRY_SECONDS", (0.1, NEVER)):
        yield


@contextmanager
def jobs_kept_at_shutdown() -> Iterator[None]:
    """Leave what does not end in time to the sweeper of another worker."""

    async def release_nothing(*_: Any) -> None:
        return

    with patch.object(Shutdown, "_release", release_nothing):
        yield
