"""The lock for writing to a SQLite database, within this process."""

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
TIMED_OUT: Final = (
    "The database could not be written to for {:g} s, because a session of this process stayed "
    "open all the time. Keep sessions short; a write that belongs to an open one takes "
    "session=<that one>."
)
HELD_ELSEWHERE: Final = (
    "The database could not be written to for {:g} s, because another process holds its lock: one "
    "that writes for long, or a shell with an open transaction."
)


class WriteLock:
    """Admit one writer at a time, since SQLite has no more: a session, or plain writes together.

    A session holds the lock alone. Plain writes share it, since one thread runs them all; a session
    that waits goes before plain writes that come later. Nobody waits longer than the deadline, in
    seconds: the holder of the lock may itself be waiting for that write, in another task.
    """

    def __init__(self, deadline: float = LOCK_DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        self._free = anyio.Semaphore(1, max_value=1, fast_acquire=True)
        self._owner: asyncio.Task[object] | None = None
        self._waiting_sessions = 0
        self._sharing = 0
        self.waits_for_file = False
        """Whether the session that holds this lock waits for another process in turn."""
        self._acquiring: anyio.Event | None = None
        """Set once the plain write that waits for the lock on behalf of all others has it."""

    def refuse_nested(self) -> None:
        """Raise `RuntimeError` if this very task holds the lock, and would wait for itself."""
        if self._owner is not None and self._owner is asyncio.current_task():
            raise RuntimeError(NESTED)

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold the lock together with other plain writes.

        Raises `RuntimeError` for a task that has a session open, and `TimeoutError`.
        """
        self.refuse_nested()
        while not self._sharing or self._waiting_sessions:
            if self._acquiring is None:
                acquired = self._acquiring = anyio.Event()
                try:
                    await self._acquire()
                finally:
                    self._acquiring = None
                    acquired.set()
                break
            await self._acquiring.wait()
        self._sharing += 1
        try:
            yield
        finally:
            self._sharing -= 1
            if not self._sharing:
                self._free.release()

    async def __aenter__(self) -> None:
        """Hold the lock alone.

        Raises `RuntimeError` for a task that has it already, and `TimeoutError`.
        """
        self.refuse_nested()
        self._waiting_sessions += 1
        try:
            await self._acquire()
        finally:
            self._waiting_sessions -= 1
        self._owner = asyncio.current_task()

    async def __aexit__(self, *_: object) -> None:
        """Release the lock."""
        self._owner = None
        self._free.release()

    async def _acquire(self) -> None:
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(self._deadline):
                await self._free.acquire()
                return
            # Plain writes take no time themselves.
            is_elsewhere = self._owner is None or self.waits_for_file
            text = HELD_ELSEWHERE if is_elsewhere else TIMED_OUT
            raise TimeoutError(text.format(self._deadline)) from None
