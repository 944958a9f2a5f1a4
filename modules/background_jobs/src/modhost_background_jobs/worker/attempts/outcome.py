"""How long a job waits for its next attempt."""

import random
from datetime import datetime, timedelta
from typing import Final

from modhost_background_jobs.contracts import JobState, PermanentJobError, RegisteredJob, Snooze
from modhost_background_jobs.model import ClaimedJob, Ended, Released
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.error_text import (
    describe,
    describe_briefly,
    printable,
    text_of,
)

JITTER: Final = 0.25
LONGEST: Final = timedelta(days=36500)
"""No wait is longer, since a date has to be named."""


def backoff(failures: int, base: timedelta, longest: timedelta) -> timedelta:
    """Return the wait after so many failures: doubled each time, bounded, with jitter."""
    doublings: int = 2 ** min(max(failures, 1) - 1, 20)
    seconds = min(longest.total_seconds(), base.total_seconds() * doublings)
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not for secrets
    return timedelta(seconds=min(LONGEST.total_seconds(), seconds * jitter))


def after(now: datetime, wait: timedelta) -> datetime:
    """Return the time after a wait, which is cut to what is neither over nor out of reach."""
    return now + min(LONGEST, max(timedelta(0), wait))


REFUSED: Final = "the database refused how the attempt ended; the worker's log says why."
PUT_OFF: Final = timedelta(hours=1)
HANDED_BACK: Final = "handed back: its worker shut down."

Outcome = Ended | Released | None


def returned(
    attempt: Attempt,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    """Return the outcome of an attempt that came to a regular end.

    After a request to stop that is no success: it may have left its work half done. At a shutdown
    one that cannot have learned of the request has done all of it.
    """
    reason = attempt.reason
    if reason is None or (reason is StopReason.SHUTDOWN and not attempt.has_noticed):
        return Ended(attempt.claimed.lease, JobState.COMPLETED)
    return stopped(attempt, registered, options, now)


def stopped(
    attempt: Attempt,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    """Return the outcome of an attempt that stopped because it was asked to.

    None when its lease is lost: whatever it did, the job is no longer its own.
    """
    claimed = attempt.claimed
    match attempt.reason:
        case StopReason.CANCELLED:
            return Ended(claimed.lease, JobState.CANCELLED)
        case StopReason.TIMEOUT:
            return _retried(claimed, _timed_out(claimed), registered, options, now)
        case StopReason.SHUTDOWN:
            return Released(claimed.lease, now, HANDED_BACK, spent=False)
        case _:
            return None


def failed(
    attempt: Attempt,
    error: BaseException,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    """Return the outcome of an attempt that raised: snoozed, retried with backoff, or failed."""
    try:
        return _outcome_of(attempt, error, registered, options, now)
    except Exception as problem:  # noqa: BLE001 - the job's own declarations may be at fault
        # The first error is not told: it may hold secrets that could not be masked.
        told = f"{type(error).__qualname__}, and what that means could not be told: "
        return interrupted(attempt, told + describe(problem), registered, options, now)


def interrupted(
    attempt: Attempt,
    error: str,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    """Return the outcome of an attempt that ended without telling how."""
    return _retried(attempt.claimed, error, registered, options, now)


def plainly(end: Ended | Released, now: datetime) -> Ended | Released:
    """Return an end that says as much as it can where the database refuses what it says.

    An end without words has nothing to leave out: its job is put off, for whoever looks into it.
    """
    if isinstance(end, Ended) and end.error is not None:
        return Ended(end.lease, end.state, REFUSED)
    return Released(end.lease, now + PUT_OFF, REFUSED, isinstance(end, Released) and end.spent)


def _outcome_of(
    attempt: Attempt,
    error: BaseException,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    claimed = attempt.claimed
    # A job that says why it failed has said all; the traceback is for what nobody foresaw.
    says_why = isinstance(error, PermanentJobError) and bool(text_of(error))
    told = attempt.redact(describe_briefly(error) if says_why else describe(error))
    match attempt.reason:
        case StopReason.LOST_LEASE:
            return None
        case StopReason.CANCELLED:
            return Ended(claimed.lease, JobState.CANCELLED, told)
        case StopReason.TIMEOUT:
            # Jobs turn a cancellation into errors of their own.
            both = printable(f"{_timed_out(claimed)}\n\n{told}")
            return _retried(claimed, both, registered, options, now)
        case StopReason.SHUTDOWN if not isinstance(error, Snooze):
            both = printable(f"{HANDED_BACK}\n\n{told}")
            return Released(claimed.lease, now, both, spent=False)
    if isinstance(error, Snooze):
        reason = printable(attempt.redact(printable(error)))
        return Released(claimed.lease, after(now, error.delay), reason, spent=False)
    if isinstance(error, (PermanentJobError, *registered.job_class.no_retry)):
        return Ended(claimed.lease, JobState.FAILED, told)
    return _retried(claimed, told, registered, options, now)


def _timed_out(claimed: ClaimedJob) -> str:
    return f"timed out: the attempt took longer than {claimed.timeout:g} s."


def _retried(
    claimed: ClaimedJob,
    error: str,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    if claimed.attempts_left <= 0:
        return Ended(claimed.lease, JobState.FAILED, error)
    own = registered.job_class.retry_base_delay
    base = own if isinstance(own, timedelta) else options.retry_base_delay
    again_at = after(now, backoff(claimed.failures, base, options.retry_max_delay))
    return Released(claimed.lease, again_at, error, spent=True)
