"""What the end of an attempt means for its job."""

import random
from datetime import datetime, timedelta
from typing import Final

from modhost_background_jobs.contracts.errors import PermanentJobError, Snooze
from modhost_background_jobs.contracts.registration import RegisteredJob
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.records import ClaimedJob, Ended, Released
from modhost_background_jobs.worker.printable import describe, printable
from modhost_background_jobs.worker.stopping import RunningAttempt, StopReason

JITTER: Final = 0.25

Outcome = Ended | Released | None


def stopped(
    attempt: RunningAttempt,
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
            error = f"timed out: the attempt took longer than {claimed.timeout:g} s."
            return _retried(claimed, error, registered, options, now)
        case StopReason.SHUTDOWN:
            return Released(claimed.lease, now, "handed back: its worker shut down.", spent=False)
        case _:
            return None


def failed(
    attempt: RunningAttempt,
    error: Exception,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    """Return the outcome of an attempt that raised: snoozed, retried with backoff, or failed."""
    claimed = attempt.claimed
    if attempt.reason is StopReason.LOST_LEASE:
        return None
    if attempt.reason is StopReason.CANCELLED:
        return Ended(claimed.lease, JobState.CANCELLED, attempt.redact(describe(error)))
    if isinstance(error, Snooze):
        return Released(
            claimed.lease, now + error.delay, printable(attempt.redact(error)), spent=False
        )
    if isinstance(error, (PermanentJobError, *registered.job_class.no_retry)):
        return Ended(claimed.lease, JobState.FAILED, attempt.redact(describe(error)))
    return _retried(claimed, attempt.redact(describe(error)), registered, options, now)


def interrupted(
    attempt: RunningAttempt,
    error: str,
    registered: RegisteredJob,
    options: BackgroundJobsOptions,
    now: datetime,
) -> Outcome:
    """Return the outcome of an attempt whose process ended under it."""
    return _retried(attempt.claimed, error, registered, options, now)


def backoff(attempt: int, base: timedelta, longest: timedelta) -> timedelta:
    """Return the wait after an attempt: doubled each time, bounded, with jitter of a quarter."""
    doublings: int = 2 ** min(attempt - 1, 20)
    doubled = min(longest, base * doublings)
    return doubled * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not for secrets


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
    base = options.retry_base_delay if own is None else own
    again_at = now + backoff(claimed.attempt, base, options.retry_max_delay)
    return Released(claimed.lease, again_at, error, spent=True)
