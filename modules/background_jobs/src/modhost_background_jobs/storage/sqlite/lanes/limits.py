"""Limits on SQLite: the steps of one write transaction, which excludes all others."""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from modhost.database import from_sqlite, to_sqlite
from modhost_background_jobs.model.claiming.admission import Decision, Earlier, Usage
from modhost_background_jobs.model.claiming.lanes import Found, Shares
from modhost_background_jobs.model.flow import LimitKey
from modhost_background_jobs.storage.sqlite.lanes import statements

UNLIMITED: Final = 1_000_000_000
STALE_GRANTS: Final = 4
"""So many grants of a key may be recorded beyond its limit before old ones are deleted."""


@dataclass(frozen=True, slots=True)
class _Limit:
    kind: Literal["concurrency", "rate"]
    most: int
    period: timedelta

    def used(self, connection: sqlite3.Connection, key: LimitKey, now: datetime) -> int:
        if self.kind == "rate":
            since = to_sqlite(now - self.period)
            return _count(connection, statements.STARTED, (*key, since))
        return _count(connection, statements.RUNNING, key)

    def forget(self, connection: sqlite3.Connection, key: LimitKey, now: datetime) -> None:
        if self.kind == "rate":
            connection.execute(statements.FORGET_STARTS, (*key, to_sqlite(now - self.period)))
        else:
            connection.execute(statements.FORGET_RUNS, key)


def usage(
    connection: sqlite3.Connection, keys: Iterable[LimitKey], now: datetime
) -> dict[LimitKey, Usage]:
    """Return what counts for each key."""
    found = {}
    for key in keys:
        limit = _limit(connection, key)
        records = _count(connection, statements.RECORDS, key)
        if records > limit.most + STALE_GRANTS:
            limit.forget(connection, key, now)
        used = limit.used(connection, key, now)
        found[key] = Usage(limit.kind, limit.most, used, records)
    return found


def first_held(
    connection: sqlite3.Connection, keys: Iterable[LimitKey], shares: Shares, now: datetime
) -> list[tuple[Found, Earlier]]:
    """Return the first due job that each key holds back in each lane that is asked for."""
    if not connection.execute(statements.HAS_HELD).fetchone()[0]:
        return []
    names = {share.name for share in shares.lanes}
    found = []
    for key in keys:
        lanes = [row[0] for row in connection.execute(statements.HELD_LANES, [key.stored])]
        for lane in names.intersection(lanes):
            given = (key.stored, lane, to_sqlite(now))
            for id_, place, due_at in connection.execute(statements.FIRST_HELD, given):
                job = UUID(id_)
                stands = Found(lane, from_sqlite(place), job, from_sqlite(due_at))
                found.append((stands, Earlier(job, (key,), is_held=True)))
    return found


def carry_out(connection: sqlite3.Connection, decision: Decision, now: datetime) -> None:
    """Hold jobs back, let others go, and record what the claimed ones count for."""
    held = [(str(id_), key.stored) for id_, key in decision.held]
    connection.executemany(statements.HOLD, held)
    let_go = [(str(id_),) for some in decision.next.values() for id_ in some]
    connection.executemany(statements.LET_GO, let_go)
    grants = [
        (*key, str(each.id), to_sqlite(now)) for each in decision.granted for key in each.limits
    ]
    connection.executemany(statements.GRANT, grants)


def tend(connection: sqlite3.Connection, keys: Collection[LimitKey], now: datetime) -> int:
    """Let go of as many held jobs as there is room for, and note when rates open."""
    freed = 0
    for key in keys:
        limit = _limit(connection, key)
        lanes = [row[0] for row in connection.execute(statements.HELD_LANES, [key.stored])]
        if not lanes:
            continue
        room = limit.most - limit.used(connection, key, now)
        if room > 0:
            rows = [(key.stored, lane, room) for lane in lanes]
            freed += connection.executemany(statements.LET_GO_FIRST, rows).rowcount
        elif limit.kind == "rate":
            (oldest,) = connection.execute(statements.OPENING, (*key, limit.most - 1)).fetchone()
            opens_at = to_sqlite(from_sqlite(oldest) + limit.period)
            connection.execute(statements.NOTE_OPENING, (*key, opens_at))
    return freed


def forget(
    connection: sqlite3.Connection, after: LimitKey, limit: int, now: datetime
) -> LimitKey | None:
    """Forget what no longer counts for the next keys; return the last of them if there are more."""
    rows = connection.execute(statements.NEXT_KEYS, (*after, limit)).fetchall()
    for row in rows:
        key = LimitKey(*row)
        _limit(connection, key).forget(connection, key, now)
        connection.execute(statements.FORGET_KEY, (*key, key.stored))
    return LimitKey(*rows[-1]) if len(rows) == limit else None


def _limit(connection: sqlite3.Connection, key: LimitKey) -> _Limit:
    row = connection.execute(statements.LIMIT, [key.limit]).fetchone()
    if row is None:  # Nobody declares it any more.
        return _Limit("concurrency", UNLIMITED, timedelta(0))
    return _Limit(row[0], row[1], timedelta(seconds=row[2] or 0))


def _count(connection: sqlite3.Connection, statement: str, values: tuple[str, ...]) -> int:
    count: int = connection.execute(statement, values).fetchone()[0]
    return count
