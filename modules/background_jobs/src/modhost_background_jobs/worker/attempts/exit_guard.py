"""Know the tasks of jobs, and turn their exits into errors: they would end the worker."""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar, Token
from types import FrameType
from typing import Any, Final

EXITS: Final = (SystemExit, KeyboardInterrupt)

_JOB: Final[ContextVar[object | None]] = ContextVar("job", default=None)


class ExitOfTask(Exception):
    """A task of a job tried to exit the process; the message says how."""


class AsJob:
    """A block with code of a job: exits in tasks that it starts become errors of theirs.

    It is a class because entering a generator takes longer, and each job enters one.
    """

    __slots__ = ("_job", "_token")

    def __init__(self, job: object) -> None:
        self._job = job
        self._token: Token[object | None]

    def __enter__(self) -> None:
        self._token = _JOB.set(self._job)

    def __exit__(self, *_: object) -> None:
        _JOB.reset(self._token)


def current_job() -> object | None:
    """Return the job whose code runs here, in a task or a thread; None for other code."""
    return _JOB.get()


class WithoutChildren:
    """Ends what the block has forked where it leaves the block: it would continue as the worker.

    It is a class for the same reason.
    """

    __slots__ = ("_process",)

    def __enter__(self) -> None:
        self._process = os.getpid()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if os.getpid() != self._process:
            os._exit(_exit_code(error))


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return error.code or 0
    traceback.print_exception(error)
    sys.stderr.flush()
    return 1


def owner_of(frame: FrameType) -> object | None:
    """Return the job whose task this frame advances; None for any other frame."""
    is_step = frame.f_code in (_GuardedCoroutine.send.__code__, _GuardedCoroutine.throw.__code__)
    return frame.f_locals["self"].job if is_step else None


def guard_exits(loop: asyncio.AbstractEventLoop) -> None:
    """Guard this loop: tasks of jobs fail with `ExitOfTask` instead of ending the process."""
    if not isinstance(loop.get_task_factory(), _GuardedTaskFactory):
        loop.set_task_factory(_GuardedTaskFactory(loop.get_task_factory()))


class _GuardedTaskFactory:
    def __init__(self, before: Callable[..., Any] | None) -> None:
        self._before: Callable[..., Any] = before or _task

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, /, **more: Any) -> Any:
        job = _JOB.get()
        if job is not None:
            coroutine = _GuardedCoroutine(coroutine, job)
        return self._before(loop, coroutine, **more)


def _task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any
) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **more)


class _GuardedCoroutine(Coroutine[Any, Any, Any]):
    """A coroutine whose exits are errors; it is otherwise unchanged."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], job: object) -> None:
        self._coroutine = coroutine
        self.job = job

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
