"""Whose cancellation it is: that of a task, or that of something which the task has awaited."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVarTuple

import anyio

Arguments = TypeVarTuple("Arguments")


class AwaitedCancelled(Exception):
    """Something that a task awaited was cancelled, and the task itself was not."""


def is_cancelled() -> bool:
    """Return whether the current task was asked to end, by a scope around it or by its owner."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return True
    return anyio.current_effective_deadline() == -math.inf


@contextmanager
def own_cancellation() -> Iterator[None]:
    """Let only this task's cancellation pass: any other would end all tasks of its group.

    Raises `AwaitedCancelled` in the block's place, from the one that nobody has asked for.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        msg = "what it awaited was cancelled by somebody else"
        raise AwaitedCancelled(msg) from error


async def run_owned(run: Callable[[*Arguments], Awaitable[None]], *arguments: *Arguments) -> None:
    """Run a task of a group whose end nobody would notice if it awaited what others cancel.

    Raises what `run` raises, and `AwaitedCancelled` for a cancellation that is not its own.
    """
    with own_cancellation():
        await run(*arguments)
