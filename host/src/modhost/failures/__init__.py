"""What fails, described, and logged once where it repeats."""

from modhost.failures.cancellation import AwaitedCancelled, own_cancellation, run_owned
from modhost.failures.description import describe, driver_error
from modhost.failures.failure_log import FailureLog, failures

__all__ = [
    "AwaitedCancelled",
    "FailureLog",
    "describe",
    "driver_error",
    "failures",
    "own_cancellation",
    "run_owned",
]
