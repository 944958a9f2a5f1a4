"""Concurrent writers joined in one transaction, without a task or a timer of their own."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import anyio

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Batch(Generic[Item, Result]):
    __slots__ = ("done", "error", "items", "result")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.done: anyio.Event | None = None
        """Set when the batch is written; made by the first caller who joins."""
        self.result: Result | None = None
        self.error: BaseException | None = None


class GroupCommit(Generic[Item, Result]):
    """Writes what callers submit while an earlier write is under way as one batch.

    The first caller of a batch writes it for all, as soon as the write before it is over; a lone
    caller therefore waits for nothing. An error reaches every caller of the batch.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], Awaitable[Result]], max_items: int = 1000
    ) -> None:
        self._write = write
        self._max_items = max_items
        self._writing = anyio.Lock()
        self._open: _Batch[Item, Result] | None = None

    async def submit(self, items: Sequence[Item]) -> Result:
        """Write the items, perhaps with those of others, and return the result of the write.

        Once submitted, items are written even when the caller is cancelled.
        """
        batch = self._open
        if batch is not None and len(batch.items) + len(items) <= self._max_items:
            batch.items.extend(items)
            batch.done = batch.done or anyio.Event()
            await batch.done.wait()
        else:
            batch = self._open = _Batch()
            batch.items.extend(items)
            # Shielded, since the callers that joined depend on the one that leads.
            with anyio.CancelScope(shield=True):
                await self._lead(batch)
        if batch.error is not None:
            raise batch.error
        return batch.result  # type: ignore[return-value]

    async def _lead(self, batch: _Batch[Item, Result]) -> None:
        try:
            self._writing.acquire_nowait()
        except anyio.WouldBlock:
            await self._writing.acquire()
        try:
            if self._open is batch:
                self._open = None
            batch.result = await self._write(batch.items)
        except BaseException as error:  # noqa: BLE001 - raised again by every caller
            batch.error = error
        finally:
            self._writing.release()
            if batch.done is not None:
                batch.done.set()
