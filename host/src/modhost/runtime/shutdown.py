"""The signal that the host is shutting down, for answers that have no end of their own."""

import anyio

from modhost.own_loop import OwnLoop


class ShutdownSignal:
    """Begins when the host is asked to stop, while requests are still being answered.

    Streams of events, and other answers without an end, end when it begins; the host waits for them
    for a few seconds only.
    """

    def __init__(self) -> None:
        self._begun = anyio.Event()
        self._loop = OwnLoop("The signal of the shutdown")

    def begin(self) -> None:
        """Notify everyone who waits."""
        self._begun.set()

    @property
    def has_begun(self) -> bool:
        """Whether the host is shutting down."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Wait until the shutdown begins."""
        self._loop.check()
        await self._begun.wait()
