"""Retry writes until they are committed, apart from values that the database refuses."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

import anyio

from modhost_background_jobs.storage import is_integrity_error

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


async def apart(
    write: Callable[[Sequence[Item]], Awaitable[set[UUID]]], items: Sequence[Item]
) -> tuple[set[UUID], list[tuple[Item, Exception]]]:
    """Write items together, and by halves where the database refuses the values of one of them.

    Returns what the writes returned, and the refused items, which so hold up no other.
    """
    try:
        return await write(items), []
    except Exception as error:
        if not is_integrity_error(error):
            raise
        if len(items) == 1:
            return set(), [(items[0], error)]
    middle = len(items) // 2
    written, refused = await apart(write, items[:middle])
    more_written, more_refused = await apart(write, items[middle:])
    return written | more_written, refused + more_refused
