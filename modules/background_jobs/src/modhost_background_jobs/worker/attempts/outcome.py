"""What the end of an attempt means for its job: completed, cancelled, failed, or to run again."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from modhost_background_jobs.contracts import JobDataError, JobState, PermanentJobError, Snooze
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.model.job_types import LEFT_TO_NEWER
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.error_text import (
    describe,
    followed_by,
    printable,
    summary,
    text_of,
)

JITTER: Final = 0.25
MAX_WAIT: Final = timedelta(days=36500)
"""Keeps due times within the calendar."""
NEWER_VERSION_WAITS: Final = (timedelta(seconds=1), timedelta(minutes=1))
"""The first and the longest wait of a job for a worker that can read its data."""
SHUT_DOWN: Final = "released: its worker shut down."

Outcome: TypeAlias = Ended | Released | None


class Finished(NamedTuple):
    """An attempt that has finished, and when."""

    attempt: Attempt
    outcome: Outcome
    at: datetime


class Outcomes:
    """Decides the outcome of attempts; None stands for that of an attempt that lost its lease."""

    def __init__(self, options: BackgroundJobsOptions, clock: QueueClock) -> None:
        self._retry_base_delay = options.retry_base_delay
        self._retry_max_delay = options.retry_max_delay
        self._clock = clock

    def returned(self, attempt: Attempt, result: str | None) -> Outcome:
        """Return the outcome of an attempt that returned a result, as it is stored.

        After a request to stop that is not a success: it may have left its work half done. At a
        shutdown one that cannot have noticed the request has done all of it.
        """
        reason = attempt.reason
        if reason is None or (reason is StopReason.SHUTDOWN and not attempt.has_noticed):
            return _ended(attempt, JobState.COMPLETED, result=result)
        return self.stopped(attempt)

    def stopped(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that stopped because it was asked to."""
        match attempt.reason:
            case StopReason.CANCELLED:
                return _ended(attempt, JobState.CANCELLED)
            case StopReason.TIMEOUT:
                return self.interrupted(attempt, _timed_out(attempt))
            case StopReason.SHUTDOWN:
                return Released(attempt.lease, error=SHUT_DOWN)
            case _:
                return None

    def failed(self, attempt: Attempt, error: BaseException) -> Outcome:
        """Return the outcome of an attempt that raised: snoozed, retried later, or failed."""
        try:
            return self._failed(attempt, error)
        except Exception as problem:  # noqa: BLE001 - the job's own declarations may be at fault
            # The first error is left out: it may hold secrets that could not be masked.
            text = f"{type(error).__qualname__}, whose outcome could not be determined: "
            return self.interrupted(attempt, text + describe(problem, chained=False))

    def released_if_failed(self, attempt: Attempt, outcome: Outcome) -> Outcome:
        """Return an outcome that spends nothing instead of a failure, and any other as it is."""
        is_end = isinstance(outcome, Ended) and outcome.state is JobState.FAILED
        if outcome is None or not (is_end or (isinstance(outcome, Released) and outcome.spent)):
            return outcome
        return Released(attempt.lease, error=followed_by(SHUT_DOWN, outcome.error or ""))

    def interrupted(self, attempt: Attempt, error: str) -> Outcome:
        """Return the outcome of an attempt that broke off: retried with backoff, or failed."""
        claimed = attempt.claimed
        if claimed.attempts_left <= 0:
            return _ended(attempt, JobState.FAILED, error)
        own = attempt.registered.job_class.retry_base_delay
        base = own if isinstance(own, timedelta) else self._retry_base_delay
        wait = backoff(claimed.failures, base, self._retry_max_delay)
        return Released(attempt.lease, self._due_after(wait), error, spent=True)

    def _failed(self, attempt: Attempt, error: BaseException) -> Outcome:
        text = _text(attempt, error)
        is_snoozed = means(error, (Snooze,))
        match attempt.reason:
            case StopReason.LOST_LEASE:
                return None
            case StopReason.CANCELLED:
                return _ended(attempt, JobState.CANCELLED, text)
            case StopReason.TIMEOUT:
                # Jobs turn a cancellation into errors of their own.
                return self.interrupted(attempt, followed_by(_timed_out(attempt), text))
            case StopReason.SHUTDOWN if not is_snoozed:
                both = followed_by(SHUT_DOWN, text)
                return Released(attempt.lease, error=both)
        if is_snoozed:
            snoozes = [each for each in _members(error) if isinstance(each, Snooze)]
            reasons = dict.fromkeys(attempt.redact(text_of(each)) for each in snoozes)
            due_at = self._due_after(max(each.delay for each in snoozes))
            return Released(attempt.lease, due_at, printable("\n".join(reasons)))
        if means(error, (JobDataError,)) and attempt.is_of_newer_version:
            return self._left_to_newer_version(attempt, text)
        if means(error, (PermanentJobError, *attempt.registered.job_class.no_retry)):
            return _ended(attempt, JobState.FAILED, text)
        return self.interrupted(attempt, text)

    def _left_to_newer_version(self, attempt: Attempt, error: str) -> Outcome:
        ours, theirs = attempt.registered.module_version, attempt.claimed.module_version
        module = attempt.registered.module_name
        why = f"{LEFT_TO_NEWER}{theirs} of {module}, this worker has {ours}."
        wait = backoff(attempt.lease.fence, *NEWER_VERSION_WAITS)
        return Released(attempt.lease, self._due_after(wait), followed_by(why, error))

    def _due_after(self, wait: timedelta) -> datetime:
        return self._clock.now() + min(MAX_WAIT, max(timedelta(0), wait))


def backoff(failures: int, base: timedelta, longest: timedelta) -> timedelta:
    """Return the wait after so many failures: doubled each time, bounded, with jitter."""
    doublings: int = 2 ** min(max(failures, 1) - 1, 20)
    seconds = min(longest.total_seconds(), base.total_seconds() * doublings)
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not for secrets
    return timedelta(seconds=min(MAX_WAIT.total_seconds(), seconds * jitter))


def _ended(
    attempt: Attempt, state: JobState, error: str | None = None, result: str | None = None
) -> Ended:
    return Ended(attempt.lease, state, error, result, attempt.claimed.is_awaited)


def _timed_out(attempt: Attempt) -> str:
    return f"timed out: the attempt took longer than {attempt.claimed.timeout:g} s."


def means(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    """Return whether an error is of these kinds, or a group of nothing else."""
    if isinstance(error, BaseExceptionGroup) and not isinstance(error, kinds):
        return all(means(each, kinds) for each in error.exceptions)
    return isinstance(error, kinds)


def _members(error: BaseException) -> Iterator[BaseException]:
    """Return the error, or all that are in a group of errors, at any depth."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _members(each)
    else:
        yield error


def _text(attempt: Attempt, error: BaseException) -> str:
    # A job that says why it failed has said all; tracebacks are for unforeseen errors.
    if means(error, (PermanentJobError,)) and all(map(text_of, _members(error))):
        texts = dict.fromkeys(attempt.redact(summary(each)) for each in _members(error))
        return printable("\n".join(texts))
    return describe(error, attempt.redact)
