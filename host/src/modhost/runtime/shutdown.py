"""The word that the host is about to stop, for those who hold connections open."""

import anyio


class Stopping:
    """Begins as soon as the host is asked to stop, while requests are still being answered.

    Answers that have no end of their own, such as streams of events, end when it begins; the host
    waits for them only for a few seconds.
    """

    def __init__(self) -> None:
        self._begun = anyio.Event()

    def begin(self) -> None:
        """Tell everybody."""
        self._begun.set()

    @property
    def has_begun(self) -> bool:
        """Whether the host is about to stop."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Wait until it begins."""
        await self._begun.wait()
