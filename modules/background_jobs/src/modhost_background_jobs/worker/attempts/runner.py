"""Running one attempt in a service scope of its own, on the event loop or in a thread."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Final

import anyio

from modhost import Clock
from modhost.caller import ActingFor
from modhost.calls.returned import awaited, is_generator
from modhost.services import ServiceProvider
from modhost.telemetry import LoggedIn
from modhost_background_jobs.contracts import (
    JobCancelled,
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
)
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.context import AttemptContext, Reports
from modhost_background_jobs.worker.attempts.error_text import forget_frames
from modhost_background_jobs.worker.attempts.exit_guard import AsJob, WithoutChildren, owner_of
from modhost_background_jobs.worker.attempts.outcome import Outcome, Outcomes, means
from modhost_background_jobs.worker.attempts.steps.attempt_steps import StepTools

GENERATOR: Final = (
    "execute returned a generator, so nothing of it has run: remove its `yield`, or iterate over "
    "it in execute."
)

UNLIMITED: Final = nullcontext()


class AttemptRunner:
    """Runs attempts and returns their outcomes; stores nothing."""

    def __init__(
        self,
        provider: ServiceProvider,
        reports: Reports,
        steps: StepTools,
        outcomes: Outcomes,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._reports = reports
        self._steps = steps
        self._outcomes = outcomes
        self._clock = clock
        self._threads = anyio.CapacityLimiter(options.max_concurrency)

    async def run(self, attempt: Attempt) -> Outcome:
        """Run the attempt to its end; every end is an outcome, no error of the job escapes."""
        if attempt.is_to_stop:
            return self._outcomes.stopped(attempt)
        result = None
        try:
            with (
                attempt.scope,
                time_limit(attempt),
                ActingFor(attempt.caller),
                LoggedIn(attempt),
                AsJob(attempt),
            ):
                result = await self._execute(attempt)
                if attempt.reason is not None:
                    attempt.has_noticed |= _was_cancelled()
            attempt.is_finished = True
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _was_cancelled():
                raise  # by the owner of this task; one without a request is the job's own
            attempt.is_finished = True
            outcome = self.outcome_of(attempt, error)
            attempt.error = error
            forget_frames(error)
            return outcome
        if attempt.scope.cancelled_caught:
            return self._outcomes.stopped(attempt)
        return self._outcomes.returned(attempt, result)

    def outcome_of(self, attempt: Attempt, error: BaseException) -> Outcome:
        """Return what an error of the job means, before what its frames hold is freed."""
        if attempt.reason is not None and means(error, (JobCancelled,)):
            return self._outcomes.stopped(attempt)
        return self._outcomes.failed(attempt, error)

    async def _execute(self, attempt: Attempt) -> str | None:
        """Execute the job, and return its result as it is stored."""
        async with self._provider.scope() as scope:
            job = await scope.get(attempt.registered.job_class)
            context = AttemptContext(attempt, self._reports, self._steps, self._clock)
            with WithoutChildren():
                if attempt.registered.runs_in_thread:
                    returned: object = await anyio.to_thread.run_sync(
                        _call, job, context, abandon_on_cancel=True, limiter=self._threads
                    )
                else:
                    returned = job.execute(context)
                value = await _finish(attempt, returned)
                stored = self._steps.results.to_stored
                result = None if value is None else stored(attempt, value)
            await context.end_grown(result)
            return result


def _call(job: ModuleJob, context: JobExecutionContext) -> object:
    with WithoutChildren():
        return job.execute(context)


async def _finish(attempt: Attempt, returned: object) -> object:
    """Await what `execute` returned: how it is declared says little about what it returns."""
    if inspect.isawaitable(returned):
        attempt.continue_as_task()
        returned = await awaited(returned)
    if returned is not None and is_generator(returned):
        raise PermanentJobError(GENERATOR)
    return returned


def attempt_in(frame: FrameType | None) -> Attempt | None:
    """Return the attempt whose code runs in a frame, or in one that called it; None without one."""
    while frame is not None:
        is_own = frame.f_code is AttemptRunner._execute.__code__
        found = frame.f_locals["attempt"] if is_own else owner_of(frame)
        if isinstance(found, Attempt):
            return found
        frame = frame.f_back
    return None


def _was_cancelled() -> bool:
    """Return whether this task was asked to stop, by its scope or by its owner."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def time_limit(attempt: Attempt) -> AbstractContextManager[None]:
    """Ask the attempt to stop when its timeout has passed, if it has one."""
    timeout = attempt.claimed.timeout
    return UNLIMITED if timeout is None else _stopped_after(timeout, attempt)


@contextmanager
def _stopped_after(timeout: float, attempt: Attempt) -> Iterator[None]:
    timer = asyncio.get_running_loop().call_later(timeout, attempt.stop, StopReason.TIMEOUT)
    try:
        yield
    finally:
        timer.cancel()
