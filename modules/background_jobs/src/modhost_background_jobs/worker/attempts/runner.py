"""Running one attempt: a scope of its own, the job built from it, and what came of it."""

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import anyio

from modhost.caller import ActingFor
from modhost.clock import Clock
from modhost.services import ServiceProvider
from modhost_background_jobs.contracts import JobCancelled, RegisteredJob
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.context import AttemptContext, Reports
from modhost_background_jobs.worker.attempts.exit_guard import as_job
from modhost_background_jobs.worker.attempts.outcome import Outcome, failed, returned, stopped

logger = logging.getLogger(__name__)


class AttemptRunner:
    """Runs attempts and tells what their ends mean; stores nothing."""

    def __init__(
        self,
        provider: ServiceProvider,
        reports: Reports,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._reports = reports
        self._options = options
        self._clock = clock
        self._threads = anyio.CapacityLimiter(options.max_concurrency)

    async def run(self, attempt: Attempt, registered: RegisteredJob) -> Outcome:
        """Run the attempt to its end; every end is an outcome, no error of the job escapes."""
        if attempt.is_to_stop:
            return stopped(attempt, registered, self._options, self._clock.now())
        try:
            with attempt.scope, time_limit(attempt), ActingFor(attempt.caller), as_job():
                await self._execute(attempt, registered)
                if attempt.reason is not None:
                    attempt.has_noticed |= _was_cancelled()
            attempt.over = True
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _was_cancelled():
                raise  # by whoever owns this task; one without a request is the job's own
            attempt.over = True
            return self._failed(attempt, registered, error)
        if attempt.scope.cancelled_caught:
            return stopped(attempt, registered, self._options, self._clock.now())
        return returned(attempt, registered, self._options, self._clock.now())

    async def _execute(self, attempt: Attempt, registered: RegisteredJob) -> None:
        async with self._provider.scope() as scope:
            job = await scope.get(registered.job_class)
            context = AttemptContext(attempt, self._reports, self._clock)
            if registered.runs_in_thread:
                await anyio.to_thread.run_sync(
                    job.execute, context, abandon_on_cancel=True, limiter=self._threads
                )
            else:
                result: Awaitable[Any] | None = job.execute(context)
                if result is not None:
                    await result

    def _failed(self, attempt: Attempt, registered: RegisteredJob, error: BaseException) -> Outcome:
        if isinstance(error, JobCancelled) and attempt.reason is not None:
            return stopped(attempt, registered, self._options, self._clock.now())
        return failed(attempt, error, registered, self._options, self._clock.now())


def _was_cancelled() -> bool:
    """Whether this task was asked to stop, by its scope or by its owner."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def time_limit(attempt: Attempt) -> AbstractContextManager[None]:
    """Ask the attempt to stop when its time is over, if it has a limit."""
    return nullcontext() if attempt.claimed.timeout is None else _stopped_in_time(attempt)


@contextmanager
def _stopped_in_time(attempt: Attempt) -> Iterator[None]:
    """Ask the attempt to stop when its time is over; a thread sees it as a flag."""
    timeout = attempt.claimed.timeout or 0.0
    timer = asyncio.get_running_loop().call_later(timeout, attempt.stop, StopReason.TIMEOUT)
    try:
        yield
    finally:
        timer.cancel()
