"""Callers that wait for the ends of jobs: woken, and all of a process by one read."""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import anyio

from modhost.database import Database
from modhost.failures import failures, run_owned
from modhost_background_jobs.contracts import JobNotFound, JobStatus
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.ends import JobEnds
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.storage import Signal, Wakeups, wait_for
from modhost_background_jobs.storage.awaited import note_awaited

logger = logging.getLogger(__name__)

BATCH_SIZE: Final = 10_000
READING: Final = "The wait for the ends of jobs"
MIN_PAUSE_SECONDS: Final = 0.005
LOCKED_PAUSE_SECONDS: Final = 0.1
"""Until jobs are noted again that somebody had locked, so that their ends may not notify."""
LINGER_SECONDS: Final = 5.0
"""How long to listen after the last caller has left: many wait for one job after another."""


class _Waiter:
    """A caller that waits; `status` stays None for a job that was deleted meanwhile."""

    __slots__ = ("over", "status")

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.status: JobStatus | None = None


class JobWaits:
    """Waits for the ends of jobs, in whatever process they run.

    As long as anybody waits, one task listens, if this process does not do so anyway, and reads
    which of all the jobs have ended: after each notification, and now and then in case that one is
    missing.
    """

    def __init__(
        self,
        database: Database,
        listing: JobListing,
        ends: JobEnds,
        wakeups: Wakeups,
        options: BackgroundJobsOptions,
    ) -> None:
        self._database = database
        self._listing = listing
        self._ends = ends
        self._wakeups = wakeups
        self._poll_interval = options.poll_interval.total_seconds()
        self._waiting: dict[UUID, set[_Waiter]] = {}
        self._unnoted: set[UUID] = set()
        """The jobs whose ends may not notify."""
        self._added = Signal()
        self._task: asyncio.Task[None] | None = None

    @property
    def awaited(self) -> int:
        """How many jobs are waited for."""
        return len(self._waiting)

    @property
    def callers(self) -> int:
        """How many callers wait."""
        return sum(map(len, self._waiting.values()))

    async def wait(self, job_id: UUID, seconds: float) -> JobStatus:
        """Return the status of a job that has ended, or ends within so many seconds.

        Raises `TimeoutError`, and `JobNotFound`, also for a job that is deleted meanwhile.
        """
        self._database.refuse_other_loops()
        # No job could end while this task keeps the only lock for writes.
        self._database.refuse_nested_write()
        row = await self._listing.find(job_id)
        if row is None:
            raise JobNotFound(job_id)
        if row.state.is_final:
            return JobStatus.model_validate(row)
        waiter = _Waiter()
        self._add(job_id, waiter)
        try:
            has_ended = await wait_for(waiter.over, seconds)
        finally:
            self._remove(job_id, waiter)
        if not has_ended:
            raise TimeoutError(
                f"The job {job_id} has not ended within {seconds:g} s; it continues."
            )
        if waiter.status is None:
            raise JobNotFound(job_id)
        return waiter.status

    async def close(self) -> None:
        """End the task that listens."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _add(self, job_id: UUID, waiter: _Waiter) -> None:
        if job_id not in self._waiting:
            self._waiting[job_id] = set()
            self._unnoted.add(job_id)
        self._waiting[job_id].add(waiter)
        self._added.fire()
        self._wakeups.ends.fire()
        if self._task is None:
            # Not in the context of the caller, who may be a job, and is not the last to need it.
            self._task = asyncio.create_task(self._follow(), context=contextvars.Context())

    def _remove(self, job_id: UUID, waiter: _Waiter) -> None:
        waiters = self._waiting.get(job_id, set())
        waiters.discard(waiter)
        if not waiters:
            self._waiting.pop(job_id, None)
            self._unnoted.discard(job_id)

    async def _follow(self) -> None:
        try:
            async with anyio.create_task_group() as group:
                if not self._wakeups.is_watched:
                    group.start_soon(run_owned, self._wakeups.watch)
                check_at = anyio.current_time() + self._poll_interval
                while True:
                    ticket, added = self._wakeups.ends.ticket(), self._added.ticket()
                    if not self._waiting and not await wait_for(added, LINGER_SECONDS):
                        break
                    started = anyio.current_time()
                    if is_check := started >= check_at:
                        check_at = started + self._poll_interval
                    await self._read(is_check=is_check)
                    # What comes together is read together, and reading takes half of the time.
                    took = anyio.current_time() - started
                    await anyio.sleep(max(MIN_PAUSE_SECONDS, took))
                    pause = LOCKED_PAUSE_SECONDS if self._unnoted else self._poll_interval
                    await wait_for(ticket, pause)
                # Whoever comes while the connection is being closed has a task of their own.
                self._task = None
                group.cancel_scope.cancel()
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _read(self, *, is_check: bool) -> None:
        """Note what is awaited, and read what has ended; check now and then that all is there."""
        ids = list(self._waiting)
        try:
            for start in range(0, len(ids), BATCH_SIZE):
                await self._read_some(ids[start : start + BATCH_SIZE], is_check=is_check)
            failures.passed(READING)
        except Exception as error:  # noqa: BLE001 - whatever the driver says, it reads again
            failures.failed(logger, READING, error)

    async def _read_some(self, ids: list[UUID], *, is_check: bool) -> None:
        # Again and again: a job that is retried by hand begins anew.
        if to_note := [id_ for id_ in ids if is_check or id_ in self._unnoted]:
            noted = await note_awaited(self._database, to_note)
            self._unnoted.update(id_ for id_ in to_note if id_ in self._waiting)
            self._unnoted -= noted
        for row in await self._ends.of(ids):
            self._finish(row.id, JobStatus.model_validate(row))
        if is_check and (left := [id_ for id_ in ids if id_ in self._waiting]):
            for id_ in await self._ends.missing(left):
                self._finish(id_, None)

    def _finish(self, job_id: UUID, status: JobStatus | None) -> None:
        self._unnoted.discard(job_id)
        for waiter in self._waiting.pop(job_id, ()):
            waiter.status = status
            waiter.over.set()


async def open_waits(
    database: Database,
    listing: JobListing,
    ends: JobEnds,
    wakeups: Wakeups,
    options: BackgroundJobsOptions,
) -> AsyncIterator[JobWaits]:
    """Yield the waits of a host, which end with it."""
    waits = JobWaits(database, listing, ends, wakeups, options)
    yield waits
    await waits.close()
