"""Running one attempt: a scope of its own, the job built from it, and what came of it."""

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import anyio

from modhost.calling import calling
from modhost.clock import Clock
from modhost.services import ServiceProvider
from modhost_background_jobs.contracts.errors import JobCancelled
from modhost_background_jobs.contracts.registration import RegisteredJob
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.records import Ended
from modhost_background_jobs.worker.context import AttemptContext, Reports
from modhost_background_jobs.worker.outcome import Outcome, failed, stopped
from modhost_background_jobs.worker.stopping import RunningAttempt, StopReason

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

    async def run(self, attempt: RunningAttempt, registered: RegisteredJob) -> Outcome:
        """Run the attempt to its end; every end is an outcome, no error of the job escapes."""
        if attempt.is_to_stop:
            return stopped(attempt, registered, self._options, self._clock.now())
        try:
            with attempt.scope, time_limit(attempt), calling(attempt.caller):
                await self._execute(attempt, registered)
            attempt.over = True
        except JobCancelled as error:
            return self._stopped_or_failed(attempt, registered, error)
        except Exception as error:  # noqa: BLE001 - a job may raise anything
            return self._failed(attempt, registered, error)
        if attempt.scope.cancelled_caught:
            return stopped(attempt, registered, self._options, self._clock.now())
        if attempt.reason is StopReason.LOST_LEASE:
            return None
        return Ended(attempt.claimed.lease, JobState.COMPLETED)

    async def _execute(self, attempt: RunningAttempt, registered: RegisteredJob) -> None:
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

    def _stopped_or_failed(
        self, attempt: RunningAttempt, registered: RegisteredJob, error: JobCancelled
    ) -> Outcome:
        if attempt.reason is None:
            return self._failed(attempt, registered, error)
        return stopped(attempt, registered, self._options, self._clock.now())

    def _failed(
        self, attempt: RunningAttempt, registered: RegisteredJob, error: Exception
    ) -> Outcome:
        attempt.over = True
        return failed(attempt, error, registered, self._options, self._clock.now())


def time_limit(attempt: RunningAttempt) -> AbstractContextManager[None]:
    """Ask the attempt to stop when its time is over, if it has a limit."""
    return nullcontext() if attempt.claimed.timeout is None else _stopped_in_time(attempt)


@contextmanager
def _stopped_in_time(attempt: RunningAttempt) -> Iterator[None]:
    """Ask the attempt to stop when its time is over; a thread sees it as a flag."""
    timeout = attempt.claimed.timeout or 0.0
    timer = asyncio.get_running_loop().call_later(timeout, attempt.stop, StopReason.TIMEOUT)
    try:
        yield
    finally:
        timer.cancel()
