"""What reaches the tools of operators: log lines that say whose work they are about."""

from modhost.telemetry.log_context import LogContext, LoggedIn, current_log_context

__all__ = ["LogContext", "LoggedIn", "current_log_context"]
