"""Failed attempts, for the modules that report errors elsewhere."""

from modhost.telemetry import ErrorOrigin, ErrorReports, trace_ids
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.outcome import Outcome


class AttemptBrokenOff(Exception):
    """An attempt failed without an error of its code: it timed out, or its process ended."""


def report_failure(reports: ErrorReports, attempt: Attempt, outcome: Outcome) -> None:
    """Report the error of an attempt that has failed, permanently or to be tried again."""
    error, attempt.error = attempt.error, None
    is_final = isinstance(outcome, Ended) and outcome.state is JobState.FAILED
    is_spent = isinstance(outcome, Released) and outcome.spent
    if outcome is None or attempt.is_reported or not (is_final or is_spent):
        return
    where = ErrorOrigin(
        kind="job",
        name=attempt.claimed.job_type,
        ids={**attempt.log_fields(), **trace_ids()},
        is_final=is_final,
    )
    reports.report(error or AttemptBrokenOff(outcome.error), where)
