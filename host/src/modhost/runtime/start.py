"""A start in progress: what it is at, and how long it waits for what may pass."""

import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio

from modhost import Clock
from modhost.database import DatabaseError
from modhost.database.errors import remedy_of
from modhost.database.failures import may_pass
from modhost.failures import describe, own_cancellation
from modhost.services import SingletonFailed

logger = logging.getLogger(__name__)

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
REPORT_SECONDS: Final = 60.0
SLOW_SECONDS: Final = 10.0

T = TypeVar("T")


class Start:
    """Repeats the steps of a start that fail for what may pass, such as a database that is down.

    Args:
        clock: measures how long steps and waits take.
        wait: the seconds that the start waits for each failing step, None for as long as it takes.
        slow_seconds: how long a step runs before the log names it.

    """

    def __init__(
        self, clock: Clock, wait: float | None = 0.0, *, slow_seconds: float = SLOW_SECONDS
    ) -> None:
        self._clock = clock
        self._wait = wait
        self._slow_seconds = slow_seconds
        self._running: tuple[str, float] | None = None
        self.step = "it has just begun"
        """What the start is at, in words for probes: without secrets."""

    async def until_done(self, name: str, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step, again and again while what it raises may pass, and return its result.

        Raises what it raised last, once the start has waited long enough.
        """
        failed_at: float | None = None
        reported = ("", 0.0)
        failures = 0
        while True:
            self.step = name
            self._running = (name, self._clock.monotonic())
            try:
                with own_cancellation():
                    done = await step()
            except Exception as error:
                # What a singleton is made of raised it.
                cause = error.__cause__ if isinstance(error, SingletonFailed) else None
                found = cause if isinstance(cause, Exception) else error
                now = self._clock.monotonic()
                failed_at = now if failed_at is None else failed_at
                is_late = self._wait is not None and now - failed_at >= self._wait
                if is_late or not may_pass(error):
                    raise
                is_ours = isinstance(found, DatabaseError)
                reason = str(found).rstrip(".") if is_ours else describe(found)
                if reason != reported[0] or now - reported[1] >= REPORT_SECONDS:
                    reported = (reason, now)
                    logger.warning(
                        "The start waits for the database: %s (%s). %s "
                        "[host] start_wait bounds the wait.",
                        name,
                        reason,
                        remedy_of(found),
                    )
            else:
                if failed_at is not None:
                    waited = self._clock.monotonic() - failed_at
                    logger.info("The start continues after %.0f s: %s.", waited, name)
                return done
            finally:
                self._running = None
            self.step = f"{name} has to wait for the database"
            await anyio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Name steps that take long in the log, from a thread: one may block the event loop."""
        has_ended = threading.Event()
        threading.Thread(
            target=self._watch, args=[has_ended], name="start watch", daemon=True
        ).start()
        try:
            yield
        finally:
            has_ended.set()

    def _watch(self, has_ended: threading.Event) -> None:
        reported: tuple[str, float] | None = None
        while not has_ended.wait(self._slow_seconds / 10):
            running = self._running
            if running is None or running == reported:
                continue
            seconds = self._clock.monotonic() - running[1]
            if seconds >= self._slow_seconds:
                reported = running
                logger.warning("The start has waited for %.0f s for %s.", seconds, running[0])
