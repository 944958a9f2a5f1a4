"""What reaches the tools of operators: log lines, errors and traces."""

from modhost.telemetry.errors import ErrorOrigin, ErrorReports
from modhost.telemetry.log_context import LogContext, LoggedIn, current_log_context
from modhost.telemetry.tracing import (
    continued,
    current_traceparent,
    current_tracer,
    span_context_of,
    trace_id_in,
    trace_ids,
    traceparent_of,
    within,
)

__all__ = [
    "ErrorOrigin",
    "ErrorReports",
    "LogContext",
    "LoggedIn",
    "continued",
    "current_log_context",
    "current_traceparent",
    "current_tracer",
    "span_context_of",
    "trace_id_in",
    "trace_ids",
    "traceparent_of",
    "within",
]
