"""The signal that the host is shutting down, for answers that have no end of their own."""

import anyio

from modhost.calls.own_loop import OwnLoop


class ShutdownSignal:
    """Begins when the host is asked to stop, while requests are still being answered.

    Streams of events, and other answers without an end, end when it begins; the host waits for them
    for a few seconds only.
    """

    def __init__(self) -> None:
        self.has_begun = False
        """Whether the host is shutting down."""
        self._begun = anyio.Event()
        self._loop = OwnLoop("The signal of the shutdown")

    def note(self) -> None:
        """Note that it begins, from a handler of signals: `begin` follows on the event loop."""
        self.has_begun = True

    def begin(self) -> None:
        """Notify everyone who waits."""
        self.note()
        self._begun.set()

    async def wait(self) -> None:
        """Wait until the shutdown begins."""
        self._loop.check()
        await self._begun.wait()
