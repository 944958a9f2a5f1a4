"""The event loop that something belongs to: calls from another one are refused, unharmed."""

import asyncio
from typing import Final

WRONG_LOOP: Final = (
    "{} belongs to the event loop of the host, and is used from another one, as `asyncio.run` "
    "starts it in a thread. Call it by `anyio.from_thread.run(function, *arguments)`, which runs "
    "it on the host's loop, or write an `async def`."
)


class WrongEventLoop(RuntimeError):
    """Something was used from an event loop that it does not belong to."""


class OwnLoop:
    """Remembers the event loop that uses something first; once that is closed, the next one.

    What waits on one loop cannot be woken from another: it would wait forever, or crash a driver.
    """

    __slots__ = ("_loop", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._loop: asyncio.AbstractEventLoop | None = None

    def adopt(self) -> None:
        """Belong to the loop that runs now."""
        self._loop = asyncio.get_running_loop()

    def check(self) -> None:
        """Raise `WrongEventLoop` in any other loop, before anything is touched."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise WrongEventLoop(WRONG_LOOP.format(self._what))
        self._loop = loop
