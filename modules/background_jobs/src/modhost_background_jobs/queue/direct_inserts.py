"""Inserting jobs that are in no caller's transaction, by the bare driver."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from modhost_background_jobs.model import NewJob
from modhost_background_jobs.storage import JobStore, is_integrity_error
from modhost_background_jobs.storage.group_commit import GroupCommit

MAX_WAITING: Final = 3
"""How many unique jobs at a time may wait on connections that workers and others need, too."""


class DirectInserts:
    """Inserts jobs, simultaneous ones in one commit; unique ones wait for others, and go alone."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._plain = GroupCommit(store.insert, is_integrity_error)
        # Apart, since others do not wait for what flow control stores besides.
        self._flowing = GroupCommit(store.insert_flowing, is_integrity_error)
        self._waiting = 0

    async def insert(self, jobs: Sequence[NewJob]) -> list[UUID] | None:
        """Insert jobs of one call and return their ids, a unique one's that of who has its key.

        None, and nothing is stored, where that takes a transaction of several statements.
        """
        if all(job.is_plain for job in jobs):
            await self._plain.submit(jobs)
        elif any(job.node for job in jobs):
            return None
        elif not any(job.flow.unique for job in jobs):
            await self._flowing.submit(jobs)
        elif len(jobs) == 1:
            standing = await self._insert_unique(jobs[0])
            return None if standing is None else [standing]
        else:
            return None
        return [job.id for job in jobs]

    async def _insert_unique(self, job: NewJob) -> UUID | None:
        key = job.flow.unique
        if key is None or key.stored is None or self._waiting >= MAX_WAITING:
            return None
        self._waiting += 1
        try:
            if await self._store.insert_flowing([job], unless_there=True):
                return job.id
            return None if key.replaces else await self._store.holder(key.stored)
        finally:
            self._waiting -= 1
