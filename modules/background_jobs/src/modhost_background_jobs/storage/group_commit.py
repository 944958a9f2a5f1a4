"""Group commit: concurrent writers share a transaction, without a task or a timer of their own."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import anyio

Item = TypeVar("Item")


class _Batch(Generic[Item]):
    __slots__ = ("done", "error", "items", "own_errors", "starts")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.starts: list[int] = []
        """Where the items of each caller begin."""
        self.done: anyio.Event | None = None
        """Set when the batch is written; made by the first caller who joins."""
        self.error: BaseException | None = None
        self.own_errors: dict[int, BaseException] = {}
        """What callers are to blame for themselves, by their starts."""

    def add(self, items: Sequence[Item]) -> int:
        start = len(self.items)
        self.starts.append(start)
        self.items.extend(items)
        return start


class GroupCommit(Generic[Item]):
    """Writes what callers submit while an earlier write is under way as one batch.

    The first caller of a batch writes it for all, as soon as the previous write has finished; a
    lone caller therefore waits for nothing. An error reaches every caller of the batch, except an
    integrity error (`is_integrity_error`), after which nothing is written: then each caller's
    items are tried by themselves.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[object]],
        is_integrity_error: Callable[[BaseException], bool],
        max_items: int = 1000,
    ) -> None:
        self._write = write
        self._is_refusal = is_integrity_error
        self._max_items = max_items
        self._writing = anyio.Lock()
        self._open: _Batch[Item] | None = None

    async def submit(self, items: Sequence[Item]) -> None:
        """Write the items, perhaps with those of others, all or none.

        Once submitted, items are written even when the caller is cancelled.
        """
        batch = self._open
        if batch is not None and len(batch.items) + len(items) <= self._max_items:
            start = batch.add(items)
            batch.done = batch.done or anyio.Event()
            await batch.done.wait()
        else:
            batch = self._open = _Batch()
            start = batch.add(items)
            # Shielded, since the callers that joined depend on the one that leads.
            with anyio.CancelScope(shield=True):
                await self._lead(batch)
        error = batch.error or batch.own_errors.get(start)
        if error is not None:
            raise error

    async def _lead(self, batch: _Batch[Item]) -> None:
        try:
            self._writing.acquire_nowait()
        except anyio.WouldBlock:
            await self._writing.acquire()
        try:
            if self._open is batch:
                self._open = None
            await self._write_together(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by every caller
            batch.error = error
        finally:
            self._writing.release()
            if batch.done is not None:
                batch.done.set()

    async def _write_together(self, batch: _Batch[Item]) -> None:
        try:
            await self._write(batch.items)
        except Exception as error:
            if len(batch.starts) == 1 or not self._is_refusal(error):
                raise
            await self._write_apart(batch)

    async def _write_apart(self, batch: _Batch[Item]) -> None:
        for start, end in pairwise([*batch.starts, len(batch.items)]):
            try:
                await self._write(batch.items[start:end])
            except Exception as error:  # noqa: BLE001 - raised again by its caller
                batch.own_errors[start] = error
