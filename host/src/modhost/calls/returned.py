"""What functions of modules return: their declaration says little about it.

A decorator hides an `async def`, compiled code is not a function of Python, and a plain function
may return a coroutine.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final

MAX_NESTING: Final = 3
"""How often a result is awaited: a decorator may add a coroutine of its own."""


async def awaited(result: Any) -> Any:
    """Return a result, awaited as long as it can be."""
    for _ in range(MAX_NESTING):
        if result is None or not inspect.isawaitable(result):
            break
        result = await result
    return result


def is_generator(result: object) -> bool:
    """Return whether a result is a generator, of which nothing has run yet."""
    return isinstance(result, Generator | AsyncGenerator) and not inspect.isawaitable(result)


def function_of(callable_: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function behind a `partial`, or the method behind an object that can be called."""
    while isinstance(callable_, functools.partial):
        callable_ = callable_.func
    return callable_ if inspect.isroutine(callable_) else type(callable_).__call__
