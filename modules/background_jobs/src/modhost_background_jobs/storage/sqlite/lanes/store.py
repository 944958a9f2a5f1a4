"""Flow control on SQLite: claims from lanes, limits, and held jobs."""

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from modhost import Clock
from modhost.database import SqliteAccess, from_sqlite, to_sqlite
from modhost_background_jobs.model import ClaimedJob
from modhost_background_jobs.model.claiming.admission import Candidate, Earlier, decide
from modhost_background_jobs.model.claiming.lanes import FlowState, Found, LaneClaim, Shares, Swept
from modhost_background_jobs.model.flow import Lane, LimitKey, limits_of
from modhost_background_jobs.storage.sqlite import rows as rows_as
from modhost_background_jobs.storage.sqlite import statements as plain
from modhost_background_jobs.storage.sqlite import transitions
from modhost_background_jobs.storage.sqlite.lanes import limits, statements

HELD_BATCH_SIZE: Final = 500
"""How many jobs are checked together once some of them are held back."""
MAX_ROUNDS: Final = 8

_Picked = tuple[str, str | None, str, str, str | None, str]


class SqliteLaneStore:
    """Implements `LaneStore`, which describes each method."""

    def __init__(self, sqlite: SqliteAccess, clock: Clock) -> None:
        self._sqlite = sqlite
        self._clock = clock

    async def read(self, now: datetime) -> FlowState:
        """Read all in one go, by jumps in indexes."""
        return await self._sqlite.read(lambda connection: _state(connection, now))

    async def claim(self, worker: str, shares: Shares, limit: int, now: datetime) -> LaneClaim:
        """Read first, so that idling writes nothing; then claim in one transaction."""
        asked_at = self._clock.monotonic()
        if not await self._sqlite.read(lambda connection: _pick(connection, shares, 1, now)):
            return LaneClaim([], is_all=True)

        def claim(connection: sqlite3.Connection) -> LaneClaim:
            # Others may have written for seconds: a rate counts from when these jobs can start.
            waited = timedelta(seconds=self._clock.monotonic() - asked_at)
            return _claim(connection, worker, shares, limit, now + waited)

        return await self._sqlite.write(claim)

    async def tend(self, keys: Collection[LimitKey], now: datetime) -> int:
        """Let go of held jobs, and note when rates open."""
        return await self._sqlite.write(lambda connection: limits.tend(connection, keys, now))

    async def open_due(self, now: datetime) -> None:
        """Tend the keys in the transaction that takes their opening back."""
        moment = [to_sqlite(now)]

        def open_keys(connection: sqlite3.Connection) -> None:
            rows = connection.execute(statements.OPEN, moment).fetchall()
            limits.tend(connection, [LimitKey(*row) for row in rows], now)

        if await self._sqlite.fetch_one(statements.IS_OPENING, moment):
            await self._sqlite.write(open_keys)

    async def sweep(self, after: str, limit: int, now: datetime) -> Swept:
        """Find keys by jumps in the index of held jobs, and tend them."""
        rows = await self._sqlite.fetch(statements.HELD_KEYS, [after, limit])
        freed = await self.tend([LimitKey.of(row[0]) for row in rows], now) if rows else 0
        return Swept(str(rows[-1][0]) if len(rows) == limit else "", freed)

    async def forget_keys(self, after: LimitKey, limit: int, now: datetime) -> LimitKey | None:
        """Forget in one transaction, unless there is no key."""
        if not await self._sqlite.fetch_one(statements.NEXT_KEYS, (*after, 1)):
            return None
        return await self._sqlite.write(
            lambda connection: limits.forget(connection, after, limit, now)
        )


def _state(connection: sqlite3.Connection, now: datetime) -> FlowState:
    moment = [to_sqlite(now)]
    paused = connection.execute(statements.PAUSES, moment).fetchall()
    ends = min((end for *_, end in paused if end), default=None)
    (opens_at,) = connection.execute(statements.NEXT_OPENING).fetchone()
    heads = connection.execute(statements.HEADS).fetchall()
    return FlowState(
        heads={Lane.of(lane): from_sqlite(place) for lane, place in heads},
        paused_queues=frozenset(name for kind, name, _ in paused if kind == "queue"),
        paused_types=frozenset(name for kind, name, _ in paused if kind == "type"),
        resumes_in=ends and (from_sqlite(ends) - now).total_seconds(),
        opens_in=opens_at and (from_sqlite(opens_at) - now).total_seconds(),
        has_held=bool(connection.execute(statements.HAS_HELD).fetchone()[0]),
    )


def _pick(
    connection: sqlite3.Connection, shares: Shares, limit: int, now: datetime
) -> list[_Picked]:
    """Return the first due jobs of all types and lanes, in the order in which they are to start."""
    moment = to_sqlite(now)
    picked: list[_Picked] = []
    for statement, asked in (
        (statements.DUE_OF_TYPE, shares.types),
        (statements.DUE_OF_LANE, shares.lanes),
    ):
        for share in asked:
            values = [share.name, moment, min(limit, share.most)]
            picked += connection.execute(statement, values).fetchall()
    return shares.in_order((_found(row), row) for row in picked)[:limit]


def _claim(
    connection: sqlite3.Connection, worker: str, shares: Shares, limit: int, now: datetime
) -> LaneClaim:
    if not connection.execute(plain.IS_REGISTERED, [worker]).fetchone():
        return LaneClaim([], is_all=True)
    jobs: list[ClaimedJob] = []
    batch_size, is_all = limit, False
    keys: set[LimitKey] = set()
    for _ in range(MAX_ROUNDS):
        left = shares.without(jobs)
        room = limit - len(jobs)
        picked = _pick(connection, left.looking_at(batch_size), batch_size, now)
        candidates: list[tuple[Found, Candidate | Earlier]] = [
            (_found(row), Candidate(UUID(row[0]), row[1] or row[5], limits_of(row[4])))
            for row in picked
        ]
        asked = {key for _, each in candidates for key in each.limits}
        usage = limits.usage(connection, asked, now)
        held = limits.first_held(connection, asked, left, now)
        ordered = left.in_order([*candidates, *held])
        decision = decide(ordered, usage, frozenset(), left.bounds(room), room)
        places = {row[0]: index for index, row in enumerate(picked)}
        ids = json.dumps([str(each.id) for each in decision.granted])
        rows = transitions.claim(connection, [ids, worker, to_sqlite(now)])
        rows.sort(key=lambda row: places[row[0]])
        jobs += [rows_as.claimed(row, now) for row in rows]
        limits.carry_out(connection, decision, now)
        keys |= decision.keys
        is_all = len(picked) < batch_size and not decision.next
        if is_all or len(jobs) >= limit or not (rows or decision.held):
            break
        batch_size = HELD_BATCH_SIZE
    limits.tend(connection, keys, now)
    return LaneClaim(jobs, is_all)


def _found(row: _Picked) -> Found:
    id_, lane, place, due_at, *_ = row
    return Found(lane, from_sqlite(place), UUID(id_), from_sqlite(due_at))
