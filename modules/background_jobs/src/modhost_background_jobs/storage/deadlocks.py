"""Transactions of our own that PostgreSQL has ended, since others waited for them as well."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from modhost_background_jobs.storage.dialects import is_deadlock

P = ParamSpec("P")
T = TypeVar("T")


def repeated_after_deadlock(transaction: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Have a function, which opens a session and commits it, called again after a deadlock.

    Nothing of it is stored then, and whatever it waited for continues.
    """

    @wraps(transaction)
    async def repeated(*arguments: P.args, **options: P.kwargs) -> T:
        while True:
            try:
                return await transaction(*arguments, **options)
            except DBAPIError as error:
                if not is_deadlock(error.orig):
                    raise

    return repeated
