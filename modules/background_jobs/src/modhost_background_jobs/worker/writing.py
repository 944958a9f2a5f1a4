"""Writes that are owed: tried until the database has taken them."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)

Result = TypeVar("Result")


async def until_written(write: Callable[[], Awaitable[Result]], what: str) -> Result:
    """Try a write until the database takes it, with growing pauses."""
    failures = 0
    while True:
        try:
            return await write()
        except Exception as error:  # noqa: BLE001 - whatever the driver says, the write is owed
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            logger.warning("Could not store %s (%s); next try in %s s.", what, error, pause)
            await anyio.sleep(pause)
