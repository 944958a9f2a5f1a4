"""A context in a task of its own, for fixtures that are left by another task than entered them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def in_own_task(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context in one task, whichever tasks enter and leave this one.

    Some plugins run what comes after the `yield` of a fixture in a task of its own, and the task
    groups of a host belong to the task that opened them.
    """
    entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    leaving = asyncio.Event()

    async def run() -> None:
        try:
            async with context as value:
                entered.set_result(value)
                await leaving.wait()
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)

    task = asyncio.create_task(run())
    try:
        yield await entered
    finally:
        leaving.set()
        await task
