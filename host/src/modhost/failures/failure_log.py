"""Log what fails again and again: once, then counted until it works.

As the log itself, what is counted is that of a process: a database that is away stops everything
that needs it, and one line says so.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from modhost.failures.description import describe, is_outage, remedy_of

REMINDER_SECONDS: Final = 60.0
QUIET_SECONDS: Final = 5.0
"""After this long without a failure all works again, also what is tried rarely."""

LASTING_SECONDS: Final = 2.0
STALE_SECONDS: Final = 30.0
"""After this long without a failure nobody tries any more."""

logger = logging.getLogger(__name__)


class FailureLog:
    """What fails at present in this process, with how often; from any thread.

    `monotonic` returns the seconds of a clock.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._failing: dict[str, float] = {}
        """What fails, with since when."""
        self._failed_at = 0.0
        self._counts: dict[str, int] = {}
        self._reported: dict[str, float] = {}
        self._since: float | None = None
        self._owes_good_news = False
        self._listeners: tuple[Callable[[str, BaseException], None], ...] = ()

    def failed(self, log: logging.Logger, what: str, error: BaseException) -> None:
        """Count a failure, and log one that is new, or the last of which was logged long ago.

        Args:
            log: whose failure it is.
            what: what failed and will be tried again, as the subject of a sentence.
            error: why; one that no database or network raises is logged with its traceback.

        """
        now = self._monotonic()
        reason = describe(error)
        is_database = is_outage(error)
        with self._guard:
            if is_database:
                self._since = now if self._since is None else self._since
                self._failing.setdefault(what, now)
                self._failed_at = now
                self._counts[what] = self._counts.get(what, 0) + 1
            key = reason if is_database else f"{what}: {reason}"
            reported = self._reported.get(key)
            if reported is not None and now - reported < REMINDER_SECONDS:
                log.debug("%s failed again (%s).", what, reason)
                return
            self._reported[key] = now
            self._owes_good_news = self._owes_good_news or is_database
        has_traceback = not is_database and reported is None
        remedy = remedy_of(error)
        remedy = f" {remedy}" if remedy else ""
        message = "%s failed (%s); it is tried again until it works.%s"
        log.warning(message, what, reason, remedy, exc_info=error if has_traceback else None)
        if has_traceback:
            for listener in self._listeners:
                listener(what, error)

    @contextmanager
    def reported_to(self, listener: Callable[[str, BaseException], None]) -> Iterator[None]:
        """Pass what is logged with its traceback during the block, and what failed, to a listener.

        Args:
            listener: returns at once, and raises nothing.

        """
        self._listeners = (*self._listeners, listener)
        try:
            yield
        finally:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def passed(self, what: str) -> None:
        """Note that something works, and log what had failed once all of it works again."""
        if not self._failing:
            return
        now = self._monotonic()
        with self._guard:
            self._failing.pop(what, None)
            if self._failing and now - self._failed_at < QUIET_SECONDS:
                return
            self._failing.clear()
            began = self._since
            if began is None or not self._owes_good_news:
                return
            counts, self._counts, self._since = self._counts, {}, None
            self._owes_good_news = False
            self._reported = {
                key: at for key, at in self._reported.items() if now - at < REMINDER_SECONDS
            }
        failures = ", ".join(f"{count} x {each}" for each, count in counts.items())
        logger.info("All works again after %.0f s; failed meanwhile: %s.", now - began, failures)

    def lasting(self, seconds: float = LASTING_SECONDS) -> list[str]:
        """Return what has failed for so long, and not only once; for health, without reasons."""
        now = self._monotonic()
        if now - self._failed_at > STALE_SECONDS:
            return []
        with self._guard:
            return [what for what, since in self._failing.items() if now - since >= seconds]


failures: Final = FailureLog()
"""The failures of this process."""
