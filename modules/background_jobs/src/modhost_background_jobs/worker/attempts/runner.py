"""Running one attempt in a service scope of its own, on the event loop or in a thread."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import anyio

from modhost import Clock
from modhost.caller import ActingFor
from modhost.services import ServiceProvider
from modhost_background_jobs.contracts import JobCancelled
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.context import AttemptContext, Reports
from modhost_background_jobs.worker.attempts.exit_guard import as_job
from modhost_background_jobs.worker.attempts.outcome import Outcome, Outcomes


class AttemptRunner:
    """Runs attempts and returns their outcomes; stores nothing."""

    def __init__(
        self,
        provider: ServiceProvider,
        reports: Reports,
        outcomes: Outcomes,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._reports = reports
        self._outcomes = outcomes
        self._clock = clock
        self._threads = anyio.CapacityLimiter(options.max_concurrency)

    async def run(self, attempt: Attempt) -> Outcome:
        """Run the attempt to its end; every end is an outcome, no error of the job escapes."""
        if attempt.is_to_stop:
            return self._outcomes.stopped(attempt)
        try:
            with attempt.scope, time_limit(attempt), ActingFor(attempt.caller), as_job():
                await self._execute(attempt)
                if attempt.reason is not None:
                    attempt.has_noticed |= _was_cancelled()
            attempt.is_finished = True
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _was_cancelled():
                raise  # by the owner of this task; one without a request is the job's own
            attempt.is_finished = True
            if isinstance(error, JobCancelled) and attempt.reason is not None:
                return self._outcomes.stopped(attempt)
            return self._outcomes.failed(attempt, error)
        if attempt.scope.cancelled_caught:
            return self._outcomes.stopped(attempt)
        return self._outcomes.returned(attempt)

    async def _execute(self, attempt: Attempt) -> None:
        async with self._provider.scope() as scope:
            job = await scope.get(attempt.registered.job_class)
            context = AttemptContext(attempt, self._reports, self._clock)
            if attempt.registered.runs_in_thread:
                await anyio.to_thread.run_sync(
                    job.execute, context, abandon_on_cancel=True, limiter=self._threads
                )
            else:
                result: Awaitable[Any] | None = job.execute(context)
                if result is not None:
                    await result


def _was_cancelled() -> bool:
    """Return whether this task was asked to stop, by its scope or by its owner."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def time_limit(attempt: Attempt) -> AbstractContextManager[None]:
    """Ask the attempt to stop when its timeout has passed, if it has one."""
    timeout = attempt.claimed.timeout
    return nullcontext() if timeout is None else _stopped_after(timeout, attempt)


@contextmanager
def _stopped_after(timeout: float, attempt: Attempt) -> Iterator[None]:
    timer = asyncio.get_running_loop().call_later(timeout, attempt.stop, StopReason.TIMEOUT)
    try:
        yield
    finally:
        timer.cancel()
