"""Whose work a log line is about: that of a request or of a job, known to the task that logs."""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Final, Protocol


class LogContext(Protocol):
    """Some work, as its log lines show it."""

    def log_fields(self) -> Mapping[str, str | int]:
        """Return the ids by which its log lines are found."""

    def redact(self, text: str) -> str:
        """Return a text with the secrets of the work masked."""


_current: Final[ContextVar[LogContext | None]] = ContextVar("modhost_log_context", default=None)


def current_log_context() -> LogContext | None:
    """Return the work that this task or thread is part of; None outside of any."""
    return _current.get()


class LoggedIn:
    """A block whose log lines show the ids of some work; those of the threads that it starts too.

    It is a class because entering a generator takes longer, and each job enters one.
    """

    __slots__ = ("_context", "_token")

    def __init__(self, context: LogContext | None) -> None:
        self._context = context
        self._token: Token[LogContext | None]

    def __enter__(self) -> None:
        self._token = _current.set(self._context)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
