"""The shop of `make demo`, smaller, in which nothing moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from benchmarks.demo.filling import fill
from benchmarks.demo.hosting import STILL, configured, shop_modules
from modhost.testing import RunningHost, running_host


@asynccontextmanager
async def still_shop(database_url: str, scale: float) -> AsyncIterator[RunningHost]:
    """Run its host, which executes nothing."""
    config = configured(database_url, options=STILL)
    async with running_host(shop_modules(), config=config) as host, host.scope() as scope:
        await fill(scope, datetime.now(UTC), scale=scale)
        yield host
