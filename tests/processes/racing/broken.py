"""Faults that a race has to find, in processes that are started with the name of one."""

import os
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from modhost_background_jobs.model import LimitKey
from modhost_background_jobs.model.claiming.admission import Usage
from modhost_background_jobs.model.claiming.lanes import LaneClaim, Shares
from modhost_background_jobs.storage.postgres.lanes import limit_statements
from modhost_background_jobs.storage.postgres.lanes import statements as lane_statements
from modhost_background_jobs.storage.sqlite.lanes import limits
from modhost_background_jobs.storage.sqlite.lanes import store as sqlite_store
from processes.forking import CLOCK_AHEAD

AHEAD: Final = {"own-clocks": 0.8}
"""By how many seconds the clock of every other worker is ahead."""
_usage = limits.usage
_claim = sqlite_store.SqliteLaneStore.claim


def check_before_the_claim() -> None:
    """Count what runs without anything that keeps others from counting the same."""
    _replace_in_statements("FOR UPDATE OF k SKIP LOCKED", "")
    # Nor does anything keep two claims from jobs of one key at a time.
    _replace_in_statements("limits, NULL FROM locked", "limits, NULL FROM locked WHERE false")
    sqlite_store.SqliteLaneStore.claim = _claim_by_an_earlier_count  # type: ignore[method-assign]
    limits.usage = _counted_before


_counted: dict[LimitKey, Usage] = {}


async def _claim_by_an_earlier_count(
    self: Any, worker: str, shares: Shares, limit: int, now: datetime
) -> LaneClaim:
    def count(connection: sqlite3.Connection) -> dict[LimitKey, Usage]:
        keys = connection.execute("SELECT limit_name, key FROM background_jobs_limit_grants")
        return _usage(connection, [LimitKey(*row) for row in keys], now)

    _counted.clear()
    _counted.update(await self._sqlite.read(count))
    return await _claim(self, worker, shares, limit, now)


def _counted_before(
    connection: sqlite3.Connection, keys: Iterable[LimitKey], now: datetime
) -> dict[LimitKey, Usage]:
    keys = set(keys)
    known = {key: each for key, each in _counted.items() if key in keys}
    return _usage(connection, keys - known.keys(), now) | known


def count_by_own_clocks() -> None:
    """Count the starts of rates by the clock of the worker, as SQLite does anyway."""
    ahead = float(os.environ[CLOCK_AHEAD])
    own = f"(clock_timestamp() + make_interval(secs => {ahead}))"
    _replace_in_statements("clock_timestamp()", own)


def _replace_in_statements(text: str, other: str) -> None:
    for module in (lane_statements, limit_statements):
        for name, statement in list(vars(module).items()):
            if name.isupper() and isinstance(statement, str):
                setattr(module, name, statement.replace(text, other))


VARIANTS: Final[dict[str, Callable[[], None]]] = {
    "check-before": check_before_the_claim,
    "own-clocks": count_by_own_clocks,
}
