"""Instances of services, and their clean-up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

import anyio

from modhost.services.registration import Registration, name_of

_Manager = AbstractAsyncContextManager[Any] | AbstractContextManager[Any]


class Making:
    """A service that a task is making; others wait until it has ended."""

    __slots__ = ("ended", "task")

    def __init__(self, task: asyncio.Task[Any] | None) -> None:
        self.task = task
        self.ended: asyncio.Event | None = None
        """Set at the end; made by the first that waits, which is rare."""

    async def wait(self) -> None:
        """Wait for the end."""
        self.ended = self.ended or asyncio.Event()
        await self.ended.wait()


class Instances:
    """Instances of one lifetime, closed in the reverse order of their creation."""

    __slots__ = ("closers", "is_closed", "made", "making")

    def __init__(self) -> None:
        self.made: dict[Any, Any] = {}
        self.making: dict[Any, Making] = {}
        self.closers: list[tuple[Registration, _Manager]] = []
        self.is_closed = False

    async def enter(
        self, registration: Registration, made: AsyncGenerator[Any] | Generator[Any]
    ) -> Any:
        """Return the first item of a generator; the rest of it is the clean-up."""
        manager: _Manager
        if isinstance(made, AsyncGenerator):
            manager = _of_async(made)
            first = await manager.__aenter__()
        else:
            manager = _of_plain(made)
            first = manager.__enter__()
        self.closers.append((registration, manager))
        return first

    async def close(self, error: BaseException | None = None) -> None:
        """Close all, even after an error of one; the errors are raised at the end.

        Each clean-up gets the error that ended the block, or that of the clean-up before it, as
        nested `with` blocks do; but none can swallow it for the others.
        """
        errors: list[Exception] = []
        ended: BaseException | None = None
        # Without the shield a cancellation would end the clean-up at its first await.
        with anyio.CancelScope(shield=True):
            while self.closers:
                registration, manager = self.closers.pop()
                try:
                    await leave(manager, error)
                except BaseException as raised:  # noqa: BLE001 - collected
                    service = f"{name_of(registration.contract)} of {registration.module}"
                    raised.add_note(f"The clean-up of {service} raised this.")
                    error = raised
                    if isinstance(raised, Exception):
                        errors.append(raised)
                    else:
                        ended = raised
        if ended is not None:
            raise ended
        if errors:
            raise ExceptionGroup("services could not be closed", errors)


async def leave(manager: _Manager, error: BaseException | None = None) -> None:
    """Run a clean-up, which gets the error if there is one."""
    kind, traceback = (None, None) if error is None else (type(error), error.__traceback__)
    if isinstance(manager, AbstractAsyncContextManager):
        await manager.__aexit__(kind, error, traceback)
    else:
        manager.__exit__(kind, error, traceback)


@asynccontextmanager
def _of_async(made: AsyncGenerator[Any]) -> AsyncIterator[Any]:
    return made


@contextmanager
def _of_plain(made: Generator[Any]) -> Iterator[Any]:
    return made
