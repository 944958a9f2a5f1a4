"""The steps of an attempt in a thread, which waits for them."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVarTuple

import anyio.from_thread

from modhost_background_jobs.worker.attempts.steps.attempt_steps import (
    AttemptSteps,
    Done,
    call,
    is_async,
)

Args = TypeVarTuple("Args")

NO_THREAD: Final = (
    "context.from_thread is for jobs with a plain `def execute`, which run in a thread; here write "
    "`await context.step(...)`."
)


class StepsFromThread:
    """Implements `ThreadSteps`, which describes each method."""

    def __init__(self, steps: AttemptSteps) -> None:
        self._steps = steps

    def step(
        self, name: str, function: Callable[..., Any], *args: *Args, transactional: bool = False
    ) -> Any:
        """Take a step; a plain function is called in this very thread."""
        if transactional or is_async(function):
            run = partial(self._steps.run, transactional=transactional)
            return _on_loop(run, name, function, *args)
        step = _on_loop(self._steps.begin, name, function)
        if isinstance(step, Done):
            return step.value
        try:
            return _on_loop(self._steps.finish, step, call(function, args))
        except BaseException:
            self._steps.failed(step)
            raise


def _on_loop(function: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
    if is_on_loop():
        raise RuntimeError(NO_THREAD)
    return anyio.from_thread.run(function, *args)


def is_on_loop() -> bool:
    """Return whether this thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
