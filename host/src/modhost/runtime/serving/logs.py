"""The log: one line an event, in UTC, on standard error, as JSON or as text."""

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from modhost.configuration import HostOptions
from modhost.configuration.redaction import redacted
from modhost.telemetry import current_log_context, trace_ids

UNMASKED: Final = "(left out: its secrets could not be masked)"

RENAMED: Final = {"asctime": "timestamp", "levelname": "level", "name": "logger"}
"""What the fields of a record are called in JSON."""

CHATTY: Final = ("uvicorn", "alembic", "aiosqlite", "asyncio")
"""Loggers whose lines of information and below help nobody who runs a host."""

_log: Final = logging.getLogger("modhost.process")


def configure_logging(options: HostOptions) -> None:
    """Write the log of the host and of its modules, from a level on, in the format of `[host]`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if options.logs_json else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(options.log_level)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    if options.logs_json:
        # What Python prints by itself are lines of the log too.
        logging.captureWarnings(capture=True)
        sys.excepthook = _log_crash
        threading.excepthook = _log_crash_of_thread


class _Lines(logging.Formatter):
    """What both formats have in common: times in UTC."""

    def formatTime(  # noqa: N802 - the name that logging calls
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.strftime(datefmt or "%Y-%m-%dT%H:%M:%S.") + f"{int(record.msecs):03d}Z"


class TextLines(_Lines):
    """Lines to read, with the ids of the request or the job in brackets."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line without its traceback."""
        ids = " ".join(f"{name}={value}" for name, value in _ids().items())
        line = super().formatMessage(record)
        return f"{line} [{ids}]" if ids else line

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of an event."""
        return str(_masked(super().format(record)))


class JsonLines(_Lines, JsonFormatter):
    """A line of JSON for each event, with its traceback, and with the `extra` of who logs."""

    def __init__(self) -> None:
        JsonFormatter.__init__(self, [*RENAMED, "message"], rename_fields=RENAMED)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return what the line has."""
        own = {*RENAMED.values(), "message", "exc_info", "stack_info"}
        shown = {
            name: value if name in own else redacted(name, value)
            for name, value in log_data.items()
        }
        return {**{name: _masked(value) for name, value in shown.items()}, **_ids()}


def _ids() -> Mapping[str, str | int]:
    context = current_log_context()
    return {**(context.log_fields() if context else {}), **trace_ids()}


def _masked(value: Any) -> Any:
    """Return a value without the secrets of the job that logs it."""
    context = current_log_context()
    if context is None:
        return value
    try:
        return _each_text(context.redact, value)
    except Exception:  # noqa: BLE001 - the data of the job may be unreadable
        return UNMASKED


def _each_text(change: Callable[[str], str], value: Any) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {name: _each_text(change, below) for name, below in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_each_text(change, below) for below in value]
    return value


def _log_crash(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    _log.critical("The process crashed.", exc_info=(kind, error, traceback))


def _log_crash_of_thread(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_type is not SystemExit and crash.exc_value is not None:
        name = crash.thread.name if crash.thread else "unknown"
        error = (crash.exc_type, crash.exc_value, crash.exc_traceback)
        _log.error("The thread %s crashed.", name, exc_info=error)
