"""Collecting the samples of a process, once for all who scrape it at the same time."""

import logging
from typing import Final

import anyio
import anyio.to_thread
from sqlalchemy import text

from modhost.failures import failures, own_cancellation
from modhost.metrics import Samples
from modhost.plugins import FoundModule
from modhost.runtime.host import Host
from modhost.runtime.metrics.exposition import as_text
from modhost.runtime.metrics.own import DATABASE_UP, HOST_METRICS, MODULE_UP, add_own
from modhost.web import RequestCounts

logger = logging.getLogger(__name__)

TIMEOUT: Final = 2.0
"""How long the database and the modules have to answer."""
MAX_AGE: Final = 1.0
"""How old an answer may be: scrapers that come together share one."""


class Collection:
    """Asks the host, the database and the modules; what does not answer in time is left out."""

    def __init__(self, counts: RequestCounts) -> None:
        self._counts = counts
        self._collecting = anyio.Lock()
        self._writing = anyio.CapacityLimiter(1)
        self._text = b""
        self._collected_at = float("-inf")

    async def text(self, host: Host) -> bytes:
        """Return the metrics of this moment, or those of up to `MAX_AGE` seconds ago."""
        async with self._collecting:
            if anyio.current_time() - self._collected_at >= MAX_AGE:
                self._text = await self._collect(host)
                self._collected_at = anyio.current_time()
            return self._text

    async def _collect(self, host: Host) -> bytes:
        own = Samples(HOST_METRICS)
        declaring = [each for each in host.modules if each.module.metrics]
        of_modules = {each.module.name: Samples(each.module.metrics) for each in declaring}
        async with anyio.create_task_group() as group:
            group.start_soon(_ask_database, host, own)
            for found in declaring:
                samples = of_modules[found.module.name]
                group.start_soon(_ask_module, host, found, samples, own)
        add_own(own, host, self._counts)
        # Thousands of lines take a while; not a thread that jobs may all have taken.
        everything = [own, *of_modules.values()]
        return await anyio.to_thread.run_sync(as_text, everything, limiter=self._writing)


async def _ask_database(host: Host, own: Samples) -> None:
    is_up = False
    with anyio.move_on_after(TIMEOUT):
        try:
            async with host.database.reading() as session:
                await (await session.connection()).execute(text("SELECT 0"))
            is_up = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the database is not up
            logger.debug("The database does not answer a scrape: %s", error)
    own.add(DATABASE_UP, int(is_up))


async def _ask_module(host: Host, found: FoundModule, samples: Samples, own: Samples) -> None:
    is_up, name = False, found.module.name
    what = f"The collection of the metrics of {name}"
    with anyio.move_on_after(TIMEOUT):
        try:
            with own_cancellation():
                await host.call_hook(found, "collect_metrics", samples=samples)
            is_up = True
            failures.passed(what)
        except Exception as error:  # noqa: BLE001 - the others are exposed all the same
            failures.failed(logger, what, error)
    own.add(MODULE_UP, int(is_up), module=name)
