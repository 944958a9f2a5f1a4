"""A signal that wakes every waiter and misses none."""

import anyio


class Signal:
    """Something changed, look again.

    Take a ticket, look, then wait for the ticket: a change between the look and the wait is not
    missed.
    """

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ticket(self) -> anyio.Event:
        """Return an event that the next change sets."""
        return self._event

    def fire(self) -> None:
        """Wake all who hold a ticket."""
        fired, self._event = self._event, anyio.Event()
        fired.set()


async def wait_for(ticket: anyio.Event, seconds: float) -> bool:
    """Wait for the ticket, at most so long; tell whether it was set."""
    with anyio.move_on_after(max(0.0, seconds)):
        await ticket.wait()
    return ticket.is_set()
