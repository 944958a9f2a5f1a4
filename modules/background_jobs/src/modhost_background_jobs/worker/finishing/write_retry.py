"""Retry writes until they are committed, apart from values that the database refuses."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import anyio

from modhost_background_jobs.storage import JobsLocked, is_integrity_error

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)

Result = TypeVar("Result")
Item = TypeVar("Item")


async def until_written(write: Callable[[], Awaitable[Result]], what: str) -> Result:
    """Retry a write until the database takes it, with growing pauses."""
    failures = 0
    while True:
        try:
            return await write()
        except Exception as error:  # noqa: BLE001 - whatever the driver says, it must be written
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            logger.warning("Could not store %s (%s); next try in %s s.", what, error, pause)
            await anyio.sleep(pause)


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
