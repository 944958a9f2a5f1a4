"""SIGTERM and SIGINT: the first asks to stop, the second ends the process, and time does too."""

import asyncio
import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

logger = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Passes the first signal on to the event loop, and bounds what it begins.

    The handlers run between bytecodes and wake a thread, which waits for the rest: neither needs
    an event loop that turns.

    Args:
        note: called by the handler itself, before anything that the signal causes elsewhere.
        ask: called in the event loop when the process is asked to stop.
        bound: called in the thread then, once: returns the seconds that the stop may take, and
            the exit code of a process that needs longer.

    """

    def __init__(
        self,
        note: Callable[[], None],
        ask: Callable[[], None],
        bound: Callable[[], tuple[float, int]],
    ) -> None:
        self._note = note
        self._ask = ask
        self._bound = bound
        self._received, self._noted = os.pipe()

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals within the block, which the main thread's event loop runs."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, args=(loop,), name="signals", daemon=True).start()
        before = {number: signal.signal(number, self._receive) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self._note()
        os.write(self._noted, bytes([number]))

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        (number,) = os.read(self._received, 1)
        logger.info("%s: stopping.", signal.Signals(number).name)
        seconds, exit_code = self._bound()
        loop.call_soon_threadsafe(self._ask)
        again, _, _ = select.select([self._received], [], [], seconds)
        if again:
            logger.error("Asked to stop again; exiting at once.")
            os._exit(1)
        if exit_code:
            message = "The shutdown takes longer than %g s; exiting before its end."
            logger.error(message, seconds)
        os._exit(exit_code)
