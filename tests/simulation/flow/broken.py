"""Wrong ways to do flow control on SQLite, each of which looks right when nothing goes wrong."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from sqlite3 import Connection
from typing import Final
from unittest.mock import patch
from uuid import UUID

from modhost_background_jobs.model import Ended, LimitKey, Released
from modhost_background_jobs.model.claiming.admission import Usage
from modhost_background_jobs.model.claiming.lanes import FlowState, LaneClaim, Shares
from modhost_background_jobs.storage.sqlite.lanes import limits
from modhost_background_jobs.storage.sqlite.lanes import statements as lane_statements
from modhost_background_jobs.storage.sqlite.lanes.store import SqliteLaneStore
from simulation.flow.control import LIMIT_OF
from simulation.links import sqlite
from simulation.links.sqlite import SqliteStore

_BEFORE: ContextVar[dict[LimitKey, Usage] | None] = ContextVar("before", default=None)
_KEYS: Final = [LimitKey(name, key) for name in LIMIT_OF for key in "ab"]
_usage = limits.usage
PAUSES_READ_SECONDS: Final = 8.0
# Grants count until somebody deletes them, whether their jobs run or not.
_COUNTER: Final = """
SELECT count(*) FROM background_jobs_limit_grants WHERE limit_name = ?1 AND key = ?2
"""
_DECREMENT: Final = "DELETE FROM background_jobs_limit_grants WHERE job_id = ?"


class CheckedBefore(SqliteLaneStore):
    """Reads what counts for the limits before the transaction that claims."""

    async def claim(self, worker: str, shares: Shares, limit: int, now: datetime) -> LaneClaim:
        before = await self._sqlite.read(lambda connection: _usage(connection, _KEYS, now))
        token = _BEFORE.set(before)
        try:
            return await super().claim(worker, shares, limit, now)
        finally:
            _BEFORE.reset(token)


def _usage_before(
    connection: Connection, keys: Iterable[LimitKey], now: datetime
) -> dict[LimitKey, Usage]:
    before = _BEFORE.get()
    if before is None:
        return _usage(connection, keys, now)
    return {key: before[key] for key in keys}


class TimedBefore(SqliteLaneStore):
    """Counts a start from when the worker has read its clock."""

    async def claim(self, worker: str, shares: Shares, limit: int, now: datetime) -> LaneClaim:
        began = self._clock.monotonic()
        with patch.object(self, "_clock", _Stopped(began)):
            return await super().claim(worker, shares, limit, now)


class _Stopped:
    def __init__(self, at: float) -> None:
        self._at = at

    def monotonic(self) -> float:
        return self._at


class PausesReadRarely(SqliteLaneStore):
    """Keeps what it knows of pauses for some seconds."""

    _known = FlowState()
    _read_at = float("-inf")

    async def read(self, now: datetime) -> FlowState:
        state = await super().read(now)
        if self._clock.monotonic() - self._read_at > PAUSES_READ_SECONDS:
            self._known, self._read_at = state, self._clock.monotonic()
        paused = (self._known.paused_queues, self._known.paused_types)
        return replace(state, paused_queues=paused[0], paused_types=paused[1])


class FreedAfterwards(SqliteStore):
    """Decrements the counters of keys once the end is stored."""

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        held = await super().end(ended, now)
        await self._decrement(ended)
        return held

    async def release(self, released: Sequence[Released], now: datetime) -> set[UUID]:
        held = await super().release(released, now)
        await self._decrement(released)
        return held

    async def _decrement(self, ends: Sequence[Ended | Released]) -> None:
        ids = [[str(each.lease.job_id)] for each in ends]
        await self._sqlite.write(lambda connection: connection.executemany(_DECREMENT, ids))


class FreedBefore(FreedAfterwards):
    """Decrements the counters of keys, and then stores the end."""

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        await self._decrement(ended)
        return await super().end(ended, now)


@contextmanager
def checked_before() -> Iterator[None]:
    with (
        patch.object(limits, "usage", _usage_before),
        patch.object(sqlite, "SqliteLaneStore", CheckedBefore),
    ):
        yield


@contextmanager
def timed_before() -> Iterator[None]:
    with patch.object(sqlite, "SqliteLaneStore", TimedBefore):
        yield


@contextmanager
def freed_afterwards() -> Iterator[None]:
    with (
        patch.object(lane_statements, "RUNNING", _COUNTER),
        patch.object(sqlite, "SqliteStore", FreedAfterwards),
    ):
        yield


@contextmanager
def freed_before() -> Iterator[None]:
    with (
        patch.object(lane_statements, "RUNNING", _COUNTER),
        patch.object(sqlite, "SqliteStore", FreedBefore),
    ):
        yield


@contextmanager
def pauses_read_rarely() -> Iterator[None]:
    with patch.object(sqlite, "SqliteLaneStore", PausesReadRarely):
        yield


@contextmanager
def held_ones_passed() -> Iterator[None]:
    """Let a claim take whatever has room."""
    with patch.object(limits, "first_held", lambda *_: []):
        yield
