"""Retry writes until they are committed, apart from values that the database refuses."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import anyio

from modhost.failures import failures, own_cancellation
from modhost_background_jobs.storage import JobsLocked, is_integrity_error

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.05, 0.2, 0.5, 1.0)

Result = TypeVar("Result")
Item = TypeVar("Item")


async def until_written(write: Callable[[], Awaitable[Result]], what: str) -> Result:
    """Retry a write until the database takes it, with growing pauses."""
    what = f"The write of {what}"
    failed = 0
    while True:
        try:
            with own_cancellation():
                written = await write()
        except Exception as error:  # noqa: BLE001 - whatever the driver says, it must be written
            failures.failed(logger, what, error)
            await anyio.sleep(RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)])
            failed += 1
        else:
            failures.passed(what)
            return written


class Written(NamedTuple, Generic[Item]):
    """What became of items that were written: the jobs they wrote to, and what is left.

    Left are the items that the database refuses, each with its error, and jobs that somebody else
    has locked.
    """

    held: set[UUID]
    refused: list[tuple[Item, Exception]]
    locked: set[UUID]


async def apart(
    write: Callable[[Sequence[Item]], Awaitable[set[UUID]]], items: Sequence[Item]
) -> Written[Item]:
    """Write items together, and by halves where the database refuses the values of one of them.

    Neither refused items nor locked jobs hold up others.
    """
    try:
        return Written(await write(items), [], set())
    except JobsLocked as some:
        return Written(some.written, [], some.locked)
    except Exception as error:
        if not is_integrity_error(error):
            raise
        if len(items) == 1:
            return Written(set(), [(items[0], error)], set())
    middle = len(items) // 2
    first = await apart(write, items[:middle])
    second = await apart(write, items[middle:])
    return Written(
        first.held | second.held, first.refused + second.refused, first.locked | second.locked
    )
