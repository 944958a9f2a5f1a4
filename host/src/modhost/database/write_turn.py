"""Whose turn it is to write to a SQLite database, within this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

NESTED: Final = (
    "This task has a session open and asks for another write, which would wait for itself: pass "
    "session=<the open one>, or leave the session first."
)


class WriteTurn:
    """Whose turn it is to write in this process: SQLite has one writer at a time.

    A session has the turn for itself. Plain writes share it, since one thread does them all; a
    session that waits comes before the writes that ask after it.
    """

    def __init__(self) -> None:
        self._free = anyio.Semaphore(1, max_value=1, fast_acquire=True)
        self._owner: asyncio.Task[object] | None = None
        self._sessions_waiting = 0
        self._sharing = 0
        self._entering: anyio.Event | None = None
        """Set once the write that waits for the turn on behalf of all others has it."""

    def refuse_nested(self) -> None:
        """Raise `RuntimeError` when this very task holds the turn, and would wait for itself."""
        if self._owner is not None and self._owner is asyncio.current_task():
            raise RuntimeError(NESTED)

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold the turn together with other plain writes.

        Raises `RuntimeError` for a task that has a session open.
        """
        self.refuse_nested()
        while not self._sharing or self._sessions_waiting:
            if self._entering is None:
                await self._enter()
                break
            await self._entering.wait()
        self._sharing += 1
        try:
            yield
        finally:
            self._sharing -= 1
            if not self._sharing:
                self._free.release()

    async def __aenter__(self) -> None:
        """Wait for the turn and hold it. Raises `RuntimeError` for a task that has it already."""
        self.refuse_nested()
        self._sessions_waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._sessions_waiting -= 1
        self._owner = asyncio.current_task()

    async def __aexit__(self, *_: object) -> None:
        """Let the next one write."""
        self._owner = None
        self._free.release()

    async def _enter(self) -> None:
        entering = self._entering = anyio.Event()
        try:
            await self._free.acquire()
        finally:
            self._entering = None
            entering.set()
