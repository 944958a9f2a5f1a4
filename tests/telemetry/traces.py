"""The spans that this process has finished, by the SDK of OpenTelemetry."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once


@contextmanager
def collected() -> Iterator[InMemorySpanExporter]:
    """Set up an SDK during the block, and for no other test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield exporter
    finally:
        # The API lets a process choose once.
        trace._TRACER_PROVIDER = None
        trace._TRACER_PROVIDER_SET_ONCE = Once()


def parent_of(span: ReadableSpan, spans: list[ReadableSpan]) -> str | None:
    """Return the name of a span's parent."""
    ids = {each.context.span_id: each.name for each in spans if each.context}
    return ids[span.parent.span_id] if span.parent else None


def ids_of(spans: list[ReadableSpan]) -> set[str]:
    """Return the ids of the traces that spans belong to."""
    return {f"{span.context.trace_id:032x}" for span in spans if span.context}
