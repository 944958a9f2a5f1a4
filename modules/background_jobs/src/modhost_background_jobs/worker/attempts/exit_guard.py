"""Turn exits in tasks of jobs into errors: they would end the event loop, and so the worker."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

EXITS: Final = (SystemExit, KeyboardInterrupt)

_IS_IN_JOB: Final[ContextVar[bool]] = ContextVar("is_in_job", default=False)


class ExitOfTask(Exception):
    """A task of a job tried to exit the process; the message says how."""


@contextmanager
def as_job() -> Iterator[None]:
    """Mark the block as code of a job: exits in tasks that it starts become errors of theirs."""
    before = _IS_IN_JOB.set(True)
    try:
        yield
    finally:
        _IS_IN_JOB.reset(before)


def guard_exits(loop: asyncio.AbstractEventLoop) -> None:
    """Guard this loop: tasks of jobs fail with `ExitOfTask` instead of ending the process."""
    if not isinstance(loop.get_task_factory(), _GuardedTaskFactory):
        loop.set_task_factory(_GuardedTaskFactory(loop.get_task_factory()))


class _GuardedTaskFactory:
    def __init__(self, before: Callable[..., Any] | None) -> None:
        self._before: Callable[..., Any] = before or _task

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, /, **more: Any) -> Any:
        if _IS_IN_JOB.get():
            coroutine = _GuardedCoroutine(coroutine)
        return self._before(loop, coroutine, **more)


def _task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any
) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **more)


class _GuardedCoroutine(Coroutine[Any, Any, Any]):
    """A coroutine whose exits are errors; it is otherwise unchanged."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def send(self, value: Any) -> Any:
        try:
            return self._coroutine.send(value)
        except EXITS as error:
            raise _as_error(error) from error

    def throw(self, *error: Any) -> Any:
        try:
            return self._coroutine.throw(*error)
        except EXITS as exit_:
            raise _as_error(exit_) from exit_

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()


def _as_error(error: BaseException) -> ExitOfTask:
    return ExitOfTask(f"{type(error).__name__}: {error}".removesuffix(": "))
