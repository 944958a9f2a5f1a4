"""The implementation of the contract for threads."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, Unpack

import anyio.from_thread

from modhost_background_jobs.contracts import BackgroundJobs, JobId, JobStatus, ModuleJob
from modhost_background_jobs.contracts.scheduling.options import ManyJobsOptions, NewJobOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.exit_guard import current_job

T = TypeVar("T")

ON_THE_LOOP: Final = (
    "jobs.from_thread.{0} was called on the thread of the event loop, which it would block "
    "forever. Write `await jobs.{0}(...)` here; from_thread is for a plain `def`, which runs in a "
    "thread."
)


class ThreadCalls:
    """Implements `JobsFromThread`, which describes each method, for the loop that runs now."""

    def __init__(self, jobs: BackgroundJobs) -> None:
        self._jobs = jobs
        self._loop = asyncio.get_running_loop()

    def enqueue(
        self, job: type[ModuleJob], data: Any = None, **options: Unpack[NewJobOptions]
    ) -> JobId:
        """Store a job that is due now."""
        return self._run("enqueue", lambda: self._jobs.enqueue(job, data, **options))

    def enqueue_many(
        self, job: type[ModuleJob], data: Sequence[Any], **options: Unpack[ManyJobsOptions]
    ) -> list[JobId]:
        """Store many jobs in one statement."""
        return self._run("enqueue_many", lambda: self._jobs.enqueue_many(job, data, **options))

    def schedule(
        self,
        job: type[ModuleJob],
        execute_at: datetime,
        data: Any = None,
        **options: Unpack[NewJobOptions],
    ) -> JobId:
        """Store a job that is due later."""
        return self._run("schedule", lambda: self._jobs.schedule(job, execute_at, data, **options))

    def cancel(self, job_id: JobId) -> JobStatus:
        """Cancel at once or ask to stop."""
        return self._run("cancel", lambda: self._jobs.cancel(job_id))

    def get_status(self, job_id: JobId) -> JobStatus | None:
        """Read one job."""
        return self._run("get_status", lambda: self._jobs.get_status(job_id))

    def wait(self, job_id: JobId, timeout: timedelta) -> JobStatus:
        """Wait until a job has ended."""
        return self._run("wait", lambda: self._wait(job_id, timeout))

    async def _wait(self, job_id: JobId, timeout: timedelta) -> JobStatus:
        job = current_job()
        with job.wait_of_thread() if isinstance(job, Attempt) else nullcontext():
            return await self._jobs.wait(job_id, timeout)

    def _run(self, name: str, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a call on the event loop of the host, and wait for what it returns."""
        if self._is_on_loop():
            raise RuntimeError(ON_THE_LOOP.format(name))
        try:
            anyio.from_thread.check_cancelled()
        except RuntimeError:  # a thread that the job has started itself
            return asyncio.run_coroutine_threadsafe(call(), self._loop).result()
        return anyio.from_thread.run(call)

    def _is_on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False
