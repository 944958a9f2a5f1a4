"""What reaches the tools of operators: log lines and errors that say whose work they are about."""

from modhost.telemetry.errors import ErrorOrigin, ErrorReports
from modhost.telemetry.log_context import LogContext, LoggedIn, current_log_context

__all__ = ["ErrorOrigin", "ErrorReports", "LogContext", "LoggedIn", "current_log_context"]
