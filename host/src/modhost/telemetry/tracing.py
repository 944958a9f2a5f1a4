"""Traces by OpenTelemetry, where a process has set up its SDK; elsewhere nothing is imported."""

import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext, Tracer

_API: Final = "opentelemetry.trace"
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_made: Final[dict[str, Any]] = {}
"""The tracer that was made last, and the provider that has made it."""


def current_tracer() -> "Tracer | None":
    """Return what makes the spans of the host; None where no SDK is set up.

    Whoever sets one up has imported the API, which would take a start 60 ms.
    """
    api = sys.modules.get(_API)
    if api is None:
        return None
    provider = api.get_tracer_provider()
    if isinstance(provider, (api.ProxyTracerProvider, api.NoOpTracerProvider)):
        return None
    if _made.get("provider") is not provider:
        _made.update(provider=provider, tracer=provider.get_tracer("modhost"))
    tracer: Tracer = _made["tracer"]
    return tracer


def trace_ids() -> Mapping[str, str]:
    """Return the `trace_id` of the span that this task or thread is in; nothing outside of any."""
    api = sys.modules.get(_API)
    if api is None:
        return {}
    context = api.get_current_span().get_span_context()
    return {"trace_id": f"{context.trace_id:032x}"} if context.is_valid else {}


def traceparent_of(span: "Span") -> str | None:
    """Return a span as it is passed on, by W3C Trace Context; None for one without an id."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def current_traceparent() -> str | None:
    """Return the span that this task or thread is in, as it is passed on; None without one."""
    if current_tracer() is None:
        return None
    from opentelemetry.trace import get_current_span

    return traceparent_of(get_current_span())


def continued(traceparent: str | None) -> AbstractContextManager[object]:
    """Let the block be part of a span that another task or process has begun."""
    if traceparent is None or current_tracer() is None:
        return nullcontext()
    from opentelemetry.trace import NonRecordingSpan, use_span

    parent = span_context_of(traceparent)
    return nullcontext() if parent is None else use_span(NonRecordingSpan(parent))


def trace_id_in(traceparent: str | None) -> str | None:
    """Return the id of the trace; None without one."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None


def span_context_of(traceparent: str | None) -> "SpanContext | None":
    """Return the span of another process; None without one that can be read."""
    from opentelemetry.trace import SpanContext, TraceFlags

    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return None
    trace_id, span_id, flags = (int(each, 16) for each in found.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return context if context.is_valid else None


def within(parent: "SpanContext | None") -> "Context":
    """Return the context of what a span of another process has begun; without one, a new one."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context

    empty = Context()
    return empty if parent is None else set_span_in_context(NonRecordingSpan(parent), empty)
