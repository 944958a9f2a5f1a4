"""The span of an enqueue, which its jobs continue, by OpenTelemetry's conventions for messaging."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modhost.telemetry import current_tracer, traceparent_of
from modhost_background_jobs.model import NewJob

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SEVERAL: Final = "jobs"
"""What is enqueued where the jobs of a call have several types."""


def tracer_for(jobs: Sequence[NewJob]) -> "Tracer | None":
    """Return what traces an enqueue of jobs; None without an SDK, and for jobs that have theirs."""
    tracer = current_tracer()
    return None if tracer is None or not jobs or jobs[0].traceparent is not None else tracer


@contextmanager
def producing(tracer: "Tracer", jobs: Sequence[NewJob]) -> Iterator[Sequence[NewJob]]:
    """Trace the block that stores jobs; it gets them with what they pass on."""
    from opentelemetry.trace import SpanKind

    types = {job.job_type for job in jobs}
    destination = types.pop() if len(types) == 1 else SEVERAL
    attributes: dict[str, str | int] = {
        "messaging.system": "modhost",
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": "send",
        "messaging.destination.name": destination,
    }
    if len(jobs) == 1:
        attributes["messaging.message.id"] = str(jobs[0].id)
        attributes["modhost.job.queue"] = jobs[0].flow.queue
    else:
        attributes["messaging.batch.message_count"] = len(jobs)
    with tracer.start_as_current_span(
        f"enqueue {destination}", kind=SpanKind.PRODUCER, attributes=attributes
    ) as span:
        traceparent = traceparent_of(span)
        yield [replace(job, traceparent=traceparent) for job in jobs]
