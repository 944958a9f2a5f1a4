"""Whether deleting what is old costs more when more is kept."""

import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.measurements.growth.seeding import add_finished
from benchmarks.run import Run
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.retention import RetentionStore, open_retention

BATCH: Final = 500
WARM_UP: Final = 2
# A few of a hundred did not complete, and are not deleted here.
SPARE: Final = 2
DELETE: Final = Metric(f"delete {BATCH}", "ms")


async def measure(run: Run) -> list[Results]:
    """Delete batches of completed jobs beside ever more finished ones, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    results = Results("retention", "Retention over the history", dialect)
    results.notes.append(f"The median of {run.sizes.claims} batches, by turns.")
    batches = WARM_UP + run.sizes.claims
    async with AsyncExitStack() as stack:
        stores: dict[str, RetentionStore] = {}
        for amount in run.sizes.histories:
            url = await stack.enter_async_context(run.databases.new(dialect))
            async with producing(url):
                pass
            await add_finished(dialect, url, amount + SPARE * batches * BATCH)
            database = await stack.enter_async_context(Database(url).open())
            stores[f"{amount:,} finished"] = open_retention(database)
        await run.databases.settle(dialect)
        for turn in range(batches):
            for row, store in stores.items():
                began = time.perf_counter()
                deleted = await store.prune(JobState.COMPLETED, datetime.now(UTC), BATCH)
                if deleted != BATCH:
                    msg = f"{deleted} jobs were deleted, and {BATCH} are old."
                    raise RuntimeError(msg)
                if turn >= WARM_UP:
                    results.add(row, DELETE, 1000 * (time.perf_counter() - began))
    return results
