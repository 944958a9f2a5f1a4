"""Errors that nothing has handled, passed to the modules that report them elsewhere."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 100
"""How many errors wait for a hook that is slow; the rest are dropped."""
CLOSE_SECONDS: Final = 2.0
REMINDER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorOrigin:
    """Where an error was raised.

    Attributes:
        kind: in a `request`, an attempt of a `job`, a background `service`, or a subscriber of an
            `event` in the process that published it.
        name: what to group errors by: the method and route of the request, the type of the job, the
            name of the service, or that of the subscriber.
        ids: what the log lines have too: `request_id`; `job_id`, `job_type`, `attempt` and
            `workflow_id`; for a subscriber `event` and `module`, beside the ids of the publisher.
        is_final: False for an attempt after which the job is tried again.

    """

    kind: Literal["request", "job", "service", "event"]
    name: str
    ids: Mapping[str, str | int] = field(default_factory=dict)
    is_final: bool = True


Reporter: TypeAlias = Callable[..., object]
"""Takes an error and its origin, as `error` and `where`."""


class ErrorReports:
    """Passes errors to the hooks of modules, and waits for none of them.

    Each module has a thread of its own, so that a hook that hangs holds up nobody.
    """

    def __init__(self, reporters: Mapping[str, Reporter] | None = None) -> None:
        """Take what reports, by the name of its module."""
        self._outboxes = [_Outbox(name, each) for name, each in (reporters or {}).items()]

    def report(self, error: BaseException, where: ErrorOrigin) -> None:
        """Pass an error on, from any thread, and return at once."""
        for each in self._outboxes:
            each.add(error, where)

    def report_of_service(self, name: str, error: BaseException) -> None:
        """Pass on what a background service raised."""
        self.report(error, ErrorOrigin(kind="service", name=name))

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Wait, for no longer than that, until what was passed on is reported."""
        deadline = time.monotonic() + seconds
        for each in self._outboxes:
            each.close(deadline)

    @property
    def has_begun(self) -> bool:
        """Whether an error was passed on, so that there is something to wait for."""
        return any(each.has_begun for each in self._outboxes)


class _Waiting(NamedTuple):
    error: BaseException
    where: ErrorOrigin
    context: Context


class _Outbox:
    """The errors that wait for the hook of one module."""

    def __init__(self, module: str, reporter: Reporter) -> None:
        self._module = module
        self._reporter = reporter
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(MAX_WAITING)
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._noted_at = -REMINDER_SECONDS

    @property
    def has_begun(self) -> bool:
        return self._thread is not None

    def add(self, error: BaseException, where: ErrorOrigin) -> None:
        with self._guard:
            try:
                self._waiting.put_nowait(_Waiting(error, where, copy_context()))
            except queue.Full:
                self._drop()
            if self._thread is None:
                name = f"error reports of {self._module}"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def close(self, deadline: float) -> None:
        with self._guard:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self._waiting.put(None, timeout=max(0.0, deadline - time.monotonic()))
        except queue.Full:
            self._dropped += self._waiting.qsize()
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            logger.warning("The hook report_error of %s has not ended; it is left.", self._module)

    def _drop(self) -> None:
        self._dropped += 1
        now = time.monotonic()
        if now - self._noted_at >= REMINDER_SECONDS:
            self._noted_at = now
            message = "The hook report_error of %s is too slow: %d errors are not reported."
            logger.warning(message, self._module, self._dropped)

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            self._report(*waiting)
            # What the error holds is not to be kept until the next one.
            del waiting

    def _report(self, error: BaseException, where: ErrorOrigin, context: Context) -> None:
        try:
            context.run(self._reporter, error=error, where=where)
        except (Exception, SystemExit, KeyboardInterrupt):  # noqa: BLE001 - logged by its context
            context.run(logger.exception, "The hook report_error of %s failed.", self._module)
