"""Wake-ups: how a worker learns of work, or of a request to stop, before it polls."""

import logging
from abc import ABC, abstractmethod
from typing import Final

import anyio

from modhost.failures import failures

logger = logging.getLogger(__name__)

LISTENING: Final = "The wait for wake-ups"
RECONNECT_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
STABLE_SECONDS: Final = 10.0
"""A connection that lasted so long was not a failed attempt to connect."""


class Signal:
    """Something changed: read again.

    Take a ticket, read, then wait for the ticket: a change between the read and the wait is not
    missed.
    """

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ticket(self) -> anyio.Event:
        """Return an event that the next change sets."""
        return self._event

    def fire(self) -> None:
        """Wake everybody who holds a ticket."""
        fired, self._event = self._event, anyio.Event()
        fired.set()


async def wait_for(ticket: anyio.Event, seconds: float) -> bool:
    """Wait for the ticket, up to so many seconds; return whether it was set."""
    with anyio.move_on_after(max(0.0, seconds)):
        await ticket.wait()
    return ticket.is_set()


class Wakeups(ABC):
    """Four signals, fired by changes that any process commits, and one of this process.

    `ends` is fired when awaited jobs have ended, `quiet` when somebody has quieted or resumed a
    worker where notifications say so, and `reconnected` when the database can be reached
    again after it could not.
    """

    def __init__(self) -> None:
        self.work = Signal()
        self.stop_requests = Signal()
        self.ends = Signal()
        self.quiet = Signal()
        self.reconnected = Signal()
        self._watchers = 0

    @property
    def is_watched(self) -> bool:
        """Whether somebody watches already: one is enough for all in this process."""
        return self._watchers > 0

    @abstractmethod
    async def listen(self) -> None:
        """Fire the signals until the connection ends or raises."""

    def fire(self) -> None:
        """Fire all that other processes may have caused."""
        failures.passed(LISTENING)
        self.work.fire()
        self.stop_requests.fire()
        self.ends.fire()

    async def watch(self) -> None:
        """Listen until cancelled: again when the connection ends, with growing pauses."""
        self._watchers += 1
        try:
            await self._watch()
        finally:
            self._watchers -= 1

    async def _watch(self) -> None:
        failed = 0
        while True:
            started_at = anyio.current_time()
            try:
                await self.listen()
                failed = 0
            except Exception as error:  # noqa: BLE001 - wake-ups only help: polling works without
                if anyio.current_time() - started_at > STABLE_SECONDS:
                    failed = 0
                pause = RECONNECT_SECONDS[min(failed, len(RECONNECT_SECONDS) - 1)]
                failed += 1
                failures.failed(logger, LISTENING, error)
                await anyio.sleep(pause)
