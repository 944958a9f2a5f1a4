"""The jobs of a host under test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, TypeVar, get_args, overload
from uuid import UUID

from modhost import Clock, Scope
from modhost.database import Database
from modhost.testing import MovableClock, RunningHost
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobDetail,
    JobId,
    JobStatus,
    ModuleJob,
)
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore, Wakeups
from modhost_background_jobs.testing.enqueued_jobs import EnqueuedJobs
from modhost_background_jobs.testing.held_worker import HeldWorker
from modhost_background_jobs.testing.inline import inline
from modhost_background_jobs.testing.passing_time import PassingTime
from modhost_background_jobs.testing.performing import Performed, Performer

Data = TypeVar("Data")
Result = TypeVar("Result")

Mode: TypeAlias = Literal["held", "inline", "worker"]
MODES: Final[tuple[str, ...]] = get_args(Mode)
DRAIN_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 30.0
REAL_WORKER: Final = (
    'A real worker runs the jobs of this test, by `@pytest.mark.jobs("worker")`: wait for them by '
    "`wait`, or leave the marker out and drain the queue."
)


class Jobs(EnqueuedJobs):
    """What a test does with jobs, and asks of them; the fixture `jobs` of an `async def`.

    Attributes:
        mode: `held`, `inline` or `worker`.
        scheduling: enqueues, schedules, cancels.
        querying: reads jobs and recurring jobs.

    """

    def __init__(
        self,
        mode: Mode,
        scheduling: BackgroundJobs,
        querying: BackgroundJobsContracts,
        worker: HeldWorker,
        performer: Performer,
        database: Database,
        types: JobTypes,
    ) -> None:
        super().__init__(database, types, performer.performed)
        self.mode = mode
        self.scheduling = scheduling
        self.querying = querying
        self._worker = worker
        self._performer = performer

    @classmethod
    @asynccontextmanager
    async def of(cls, host: RunningHost, mode: Mode = "held") -> AsyncIterator["Jobs"]:
        """Take care of the jobs of a host during the block.

        Args:
            host: it runs, as a producer unless the mode is `worker`.
            mode: how jobs run.

        """
        async with host.scope() as scope:
            database = await scope.get(Database)
            jobs = cls(
                mode,
                await scope.get(BackgroundJobs),
                await scope.get(BackgroundJobsContracts),
                await HeldWorker.of(scope, await _passing_time(scope, database)),
                Performer(scope),
                database,
                await scope.get(JobTypes),
            )
            if mode == "worker":
                await _wake_after_moves(scope)
            queue = await scope.get(DatabaseJobQueue)
            with inline(database, queue, jobs.drain) if mode == "inline" else nullcontext():
                yield jobs

    async def drain(self, seconds: float = DRAIN_SECONDS) -> list[JobStatus]:
        """Run a real worker until nothing is due, what jobs enqueue included.

        Due times of recurring jobs fire, and jobs of lost workers are rescued once the clock was
        moved far enough.

        Args:
            seconds: the longest time that it may take, real time.

        Returns:
            The jobs that ran, in the order of their first start, each with its state.

        Raises:
            TimeoutError: jobs still run, or new ones are due again and again.
            RuntimeError: a real worker runs.

        """
        if self.mode == "worker":
            raise RuntimeError(REAL_WORKER)
        return [await self._status(each) for each in await self._worker.drain(seconds)]

    async def lose_worker(self, *, after_running: bool = False) -> list[JobStatus]:
        """Let a worker take what is due, and die, as by `kill -9`, before any of it begins.

        The jobs are `Running` until the clock was moved by `stall_timeout` and the queue drained:
        then they run, or run again.

        Args:
            after_running: whether it runs them first, and dies before their ends are stored.

        Returns:
            The jobs.

        Raises:
            RuntimeError: a real worker runs.

        """
        if self.mode == "worker":
            raise RuntimeError(REAL_WORKER)
        return [
            await self._status(each)
            for each in await self._worker.lose(after_running=after_running)
        ]

    async def wait(self, job_id: JobId, seconds: float = WAIT_SECONDS) -> JobDetail:
        """Wait until a job has ended, in real time; for a real worker.

        Args:
            job_id: the job to wait for.
            seconds: how long.

        Raises:
            TimeoutError: it has not ended in time.
            JobNotFound: there is no such job.

        """
        await self.scheduling.wait(job_id, timedelta(seconds=seconds))
        return await self.detail(job_id)

    async def detail(self, job_id: JobId) -> JobDetail:
        """Return a job with its data, result, log, attempts and steps.

        Args:
            job_id: the job to read.

        Raises:
            AssertionError: there is no such job.

        """
        found = await self.querying.get_job_detail(job_id)
        if found is None:
            raise AssertionError(f"There is no job {job_id}.")
        return found

    @overload
    async def perform(
        self, job: type[ModuleJob[Data, Result]], data: Data, *, attempt: int = 1
    ) -> Performed[Result]: ...

    @overload
    async def perform(
        self, job: type[ModuleJob[None, Result]], data: None = None, *, attempt: int = 1
    ) -> Performed[Result]: ...

    async def perform(
        self, job: type[ModuleJob[Any, Any]], data: Any = None, *, attempt: int = 1
    ) -> Performed[Any]:
        """Run one attempt of a job at once, in this process, without enqueuing it.

        Its services, its data, its steps and its time limit are the real ones.

        Args:
            job: its class.
            data: what it is given.
            attempt: the number of the attempt.

        Returns:
            What it returned, and what it reported by its context.

        Raises:
            Exception: what `execute` raised, `Snooze` included.
            UnregisteredJob: no module registered the class.
            InvalidJobData: the data cannot be stored.

        """
        return await self._performer.perform(job, data, attempt)

    async def _status(self, job_id: UUID) -> JobStatus:
        status = await self.scheduling.get_status(JobId(job_id))
        if status is None:
            raise AssertionError(f"The job {job_id} is lost.")
        return status


async def _passing_time(scope: Scope, database: Database) -> PassingTime:
    options = await scope.get(BackgroundJobsOptions)
    return PassingTime(database, await scope.get(JobStore), options, await scope.get(Clock))


async def _wake_after_moves(scope: Scope) -> None:
    clock, wakeups = await scope.get(Clock), await scope.get(Wakeups)
    loop = asyncio.get_running_loop()
    if isinstance(clock, MovableClock):
        clock.on_move(lambda _: loop.call_soon_threadsafe(wakeups.work.fire))
