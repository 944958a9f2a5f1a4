"""Whose turn it is to write to a SQLite database, within this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from modhost.database.sqlite.connection import LOCK_DEADLINE_SECONDS

NESTED: Final = (
    "This task has a session open and asks for another write, which would wait for itself: pass "
    "session=<the open one>, or leave the session first."
)
TOO_LONG: Final = (
    "The database could not be written to for {:g} s, since a session of this process was open all "
    "the time. Keep sessions short; a write that belongs to an open one takes session=<that one>."
)


class WriteTurn:
    """Whose turn it is to write in this process: SQLite has one writer at a time.

    A session has the turn for itself. Plain writes share it, since one thread does them all; a
    session that waits comes before the writes that ask after it. Nobody waits for longer than the
    deadline, in seconds: whoever holds the turn may be waiting for the very write, in another task.
    """

    def __init__(self, deadline: float = LOCK_DEADLINE_SECONDS) -> None:
        self._deadline = deadline
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

        Raises `RuntimeError` for a task that has a session open, and `TimeoutError`.
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
        """Wait for the turn and hold it.

        Raises `RuntimeError` for a task that has it already, and `TimeoutError`.
        """
        self.refuse_nested()
        self._sessions_waiting += 1
        try:
            await self._acquire()
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
            await self._acquire()
        finally:
            self._entering = None
            entering.set()

    async def _acquire(self) -> None:
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(self._deadline):
                await self._free.acquire()
                return
            raise TimeoutError(TOO_LONG.format(self._deadline)) from None
