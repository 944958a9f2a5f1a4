"""The span of an attempt, by OpenTelemetry's conventions for messaging."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from modhost.telemetry import span_context_of, traceparent_of, within
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.outcome import Outcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

MAX_DESCRIPTION: Final = 300


@contextmanager
def processing(tracer: "Tracer", attempt: Attempt) -> Iterator["Span"]:
    """Run an attempt within a span: a child of the one that has enqueued its job, as all are."""
    from opentelemetry.trace import Link, SpanKind

    claimed = attempt.claimed
    creation = span_context_of(claimed.traceparent)
    attributes: dict[str, str | int] = {
        "messaging.system": "modhost",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": claimed.job_type,
        "messaging.message.id": str(attempt.lease.job_id),
        "modhost.job.queue": claimed.queue,
        "modhost.job.attempt": claimed.attempt,
    }
    if claimed.workflow_id is not None:
        attributes["modhost.workflow.id"] = str(claimed.workflow_id)
    with tracer.start_as_current_span(
        f"process {claimed.job_type}",
        context=within(creation),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
        links=[Link(creation)] if creation else (),
        # Its text may hold secrets; the outcome has it without.
        record_exception=False,
    ) as span:
        # What runs in another process is part of this span.
        attempt.claimed = claimed._replace(traceparent=traceparent_of(span))
        yield span


def note_outcome(span: "Span", attempt: Attempt, outcome: Outcome) -> None:
    """Note on the span of an attempt how it ended."""
    from opentelemetry.trace import StatusCode

    if outcome is None:
        result, error = "lost lease", None
    elif isinstance(outcome, Ended):
        result, error = outcome.state.value.lower(), outcome.error
    else:
        result, error = "retried" if outcome.spent else "released", outcome.error
    span.set_attribute("modhost.job.outcome", result)
    if result in (JobState.FAILED.value.lower(), "retried"):
        kind = type(attempt.error).__qualname__ if attempt.error else "AttemptBrokenOff"
        span.set_attribute("error.type", kind)
        span.set_status(StatusCode.ERROR, (error or "").partition("\n")[0][:MAX_DESCRIPTION])
        span.add_event("exception", {"exception.type": kind, "exception.stacktrace": error or ""})
