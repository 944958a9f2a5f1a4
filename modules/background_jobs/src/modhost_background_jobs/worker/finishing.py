"""Storing how attempts ended: batched, and tried until the database has acknowledged."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

import anyio

from modhost.clock import Clock
from modhost_background_jobs.queue.group_commit import GroupCommit
from modhost_background_jobs.queue.records import Ended, Released
from modhost_background_jobs.queue.store import JobStore

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)

Result = TypeVar("Result")


class Finisher:
    """Writes outcomes; a job's body is never run again because its outcome was hard to write."""

    def __init__(self, store: JobStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._ends: GroupCommit[Ended, set[UUID]] = GroupCommit(self._write_ends)
        self._releases: GroupCommit[Released, set[UUID]] = GroupCommit(self._write_releases)

    async def finish(self, outcome: Ended | Released) -> bool:
        """Store an outcome; False when the lease was lost, and nothing was changed."""
        if isinstance(outcome, Ended):
            held = await self._ends.submit([outcome])
        else:
            held = await self._releases.submit([outcome])
        return outcome.lease.job_id in held

    async def _write_ends(self, ended: Sequence[Ended]) -> set[UUID]:
        return await until_written(
            lambda: self._store.end(ended, self._clock.now()), "the end of jobs"
        )

    async def _write_releases(self, released: Sequence[Released]) -> set[UUID]:
        return await until_written(
            lambda: self._store.release(released, self._clock.now()), "jobs to be run again"
        )


async def until_written(write: Callable[[], Awaitable[Result]], what: str) -> Result:
    """Try a write until the database takes it, with growing pauses."""
    failures = 0
    while True:
        try:
            return await write()
        except Exception as error:  # noqa: BLE001 - whatever the driver says, the write is owed
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            logger.warning("Could not store %s (%s); next try in %s s.", what, error, pause)
            await anyio.sleep(pause)
