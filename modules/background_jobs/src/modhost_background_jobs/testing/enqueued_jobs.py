"""Assertions about the jobs that were enqueued."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from modhost.database import Database
from modhost_background_jobs.contracts import ModuleJob
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.testing.stored_jobs import ANY, Expected, StoredJob, stored_jobs


class EnqueuedJobs:
    """The jobs of a database, but those that nobody has enqueued."""

    def __init__(self, database: Database, types: JobTypes, performed: Collection[UUID]) -> None:
        self._database = database
        self._types = types
        self._performed = performed

    async def all(self) -> list[StoredJob]:
        """Return all jobs that were enqueued, in that order, whatever their state."""
        return await stored_jobs(self._database, self._performed)

    async def assert_enqueued(
        self,
        job: type[ModuleJob],
        data: Any = ANY,
        *,
        queue: str | None = None,
        priority: int | None = None,
        tags: Collection[str] | None = None,
        execute_at: datetime | None = None,
        count: int | None = None,
    ) -> StoredJob:
        """Fail unless a job was enqueued, whatever its state is now.

        Args:
            job: its class.
            data: what it was given; of a mapping, only the keys that are there are compared.
            queue: the queue that it waits, or waited, in.
            priority: its priority.
            tags: tags that it has, perhaps among others.
            execute_at: when it is due.
            count: how many there must be; at least one by default.

        Returns:
            The first of them.

        Raises:
            AssertionError: there are none, or not so many; it names those that there are.

        """
        expected = Expected(
            job=job,
            data=data,
            queue=queue,
            priority=priority,
            tags=tags,
            execute_at=execute_at,
        )
        jobs = await self.all()
        found = expected.among(jobs, self._types)
        if not found or count not in (None, len(found)):
            wanted = "one" if count is None else count
            raise AssertionError(
                f"Expected {wanted} {expected} to be enqueued, found {len(found)}. {_listed(jobs)}"
            )
        return found[0]

    async def refute_enqueued(
        self, job: type[ModuleJob], data: Any = ANY, *, queue: str | None = None
    ) -> None:
        """Fail if a job was enqueued, whatever its state is now.

        Args:
            job: its class.
            data: what it was given, as for `assert_enqueued`.
            queue: the queue that it waits, or waited, in.

        Raises:
            AssertionError: there is one.

        """
        expected = Expected(job=job, data=data, queue=queue)
        jobs = await self.all()
        if found := expected.among(jobs, self._types):
            raise AssertionError(f"Expected no {expected} to be enqueued. {_listed(found)}")


def _listed(jobs: Collection[StoredJob]) -> str:
    lines = "".join(f"\n  {each}" for each in jobs)
    return f"Enqueued were:{lines}" if lines else "Nothing was enqueued."
