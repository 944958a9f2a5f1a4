"""The protocol of what flow control needs of a database, the same on both."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from modhost_background_jobs.model.claiming.lanes import FlowState, LaneClaim, Shares, Swept
from modhost_background_jobs.model.flow import LimitKey


class LaneStore(Protocol):
    """Claims from lanes, and jobs that limits hold back.

    A key of a limit is counted under the lock of its row, by the clock of PostgreSQL; on SQLite by
    `now`, since all processes share the machine's. Whoever holds
    jobs back, or frees a key, commits that first and tends the key afterwards: so one of the two
    sees what the other did.
    """

    async def read(self, now: datetime) -> FlowState:
        """Return which lanes have jobs, what is paused, and what limits hold back."""

    async def claim(self, worker: str, shares: Shares, limit: int, now: datetime) -> LaneClaim:
        """Hand up to `limit` due jobs to the worker, in their common order.

        A worker that is not registered (any more) gets none.
        """

    async def tend(self, keys: Collection[LimitKey], now: datetime) -> int:
        """Let go of as many held jobs of each key and lane as the key has room for.

        Where a rate has none, its key is noted to open when it has. Returns how many were let go.
        """

    async def open_due(self, now: datetime) -> None:
        """Tend the keys whose rates allow another start by now."""

    async def sweep(self, after: str, limit: int, now: datetime) -> Swept:
        """Tend up to `limit` keys that hold jobs back, those behind the stored key `after`."""

    async def forget_keys(self, after: LimitKey, limit: int, now: datetime) -> LimitKey | None:
        """Forget what no longer counts for up to `limit` keys, those behind the key `after`.

        Keys that nothing counts for, and that hold no job back, are forgotten altogether. Returns
        the last of the keys; None when there are no more.
        """
