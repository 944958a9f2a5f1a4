"""Write batches on PostgreSQL apart from jobs that somebody else has locked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from modhost.database import PostgresAccess
from modhost_background_jobs.model import Lease
from modhost_background_jobs.storage.dialects import is_lock_timeout
from modhost_background_jobs.storage.store import JobsLocked

FIND_LOCKED: Final = """
WITH free AS (
    SELECT id FROM background_jobs.jobs WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED
)
SELECT j.id FROM background_jobs.jobs j
WHERE j.id = ANY ($1::uuid[]) AND NOT EXISTS (SELECT FROM free WHERE free.id = j.id)
"""

# An end writes to the workflow of its job too, and to whatever waits for it, however far away.
FIND_WITH_LOCKED_DEPENDENTS: Final = """
WITH RECURSIVE reached AS (
    SELECT unnest($1::uuid[]) AS id
    UNION
    SELECT d.job_id FROM reached JOIN background_jobs.job_dependencies d ON d.after_id = reached.id
),
live AS (
    SELECT id, workflow_id FROM background_jobs.jobs WHERE id IN (SELECT id FROM reached)
),
free AS (
    SELECT id FROM background_jobs.jobs WHERE id IN (SELECT id FROM reached)
    FOR UPDATE SKIP LOCKED
),
free_workflows AS (
    SELECT id FROM background_jobs.workflows WHERE id IN (SELECT workflow_id FROM live)
    FOR UPDATE SKIP LOCKED
),
free_conditions AS (
    SELECT job_id FROM background_jobs.job_conditions WHERE job_id IN (SELECT id FROM reached)
    FOR UPDATE SKIP LOCKED
),
locked AS (
    SELECT id FROM live WHERE id NOT IN (SELECT id FROM free)
        OR (workflow_id IS NOT NULL AND workflow_id NOT IN (SELECT id FROM free_workflows))
    UNION
    SELECT job_id FROM background_jobs.job_conditions WHERE job_id IN (SELECT id FROM reached)
        AND job_id NOT IN (SELECT job_id FROM free_conditions)
),
before AS (
    SELECT id FROM locked
    UNION
    SELECT d.after_id FROM before JOIN background_jobs.job_dependencies d ON d.job_id = before.id
)
SELECT id FROM before WHERE id = ANY ($1::uuid[])
"""


class Leased(Protocol):
    """What concerns the job of a lease."""

    @property
    def lease(self) -> Lease:
        """The lease."""


Item = TypeVar("Item", bound=Leased)


class LockedJobs:
    """Remembers which jobs are locked, so that one of them is waited for once.

    A batch waits for no longer than the lock timeout of the pool. Only then, or when it has a job
    in it that was locked before, is it asked which ones are.
    """

    def __init__(self, postgres: PostgresAccess, find: str = FIND_LOCKED) -> None:
        self._postgres = postgres
        self._find_locked = find
        self._known: set[UUID] = set()

    async def apart(
        self, write: Callable[[Sequence[Item]], Awaitable[set[UUID]]], items: Sequence[Item]
    ) -> set[UUID]:
        """Write the items whose jobs are free. Raises `JobsLocked` when there are others."""
        known = self._known and self._known.intersection(_jobs(items))
        locked = await self._find(known) if known else set()
        try:
            return await self._write(write, items, locked)
        except Exception as error:
            if not is_lock_timeout(error):
                raise
            locked = await self._find(_jobs(items))
            if not locked:
                raise
        return await self._write(write, items, locked)

    async def _write(
        self,
        write: Callable[[Sequence[Item]], Awaitable[set[UUID]]],
        items: Sequence[Item],
        locked: set[UUID],
    ) -> set[UUID]:
        if not locked:
            return await write(items)
        free = [each for each in items if each.lease.job_id not in locked]
        raise JobsLocked(await write(free) if free else set(), locked)

    async def _find(self, jobs: set[UUID]) -> set[UUID]:
        rows = await self._postgres.fetch(self._find_locked, list(jobs))
        locked = {row[0] for row in rows}
        self._known = (self._known - jobs) | locked
        return locked


def _jobs(items: Sequence[Item]) -> set[UUID]:
    return {each.lease.job_id for each in items}
