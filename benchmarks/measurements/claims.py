"""What claiming and ending a hundred jobs costs, by the queue's own statements."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.modhost_queue import ModhostQueue
from benchmarks.measurements.seeding import JOB_TYPE
from benchmarks.results import Metric, Results
from benchmarks.run import Run
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queue.open_store import open_store
from modhost_background_jobs.queue.records import Ended, WorkerInfo
from modhost_background_jobs.queue.store import JobStore

BATCH = 100
CLAIM = Metric("claim of 100", "ms")
END = Metric("end of 100", "ms")
WARM_UP = 2

Seed = Callable[[Dialect, str, int], Awaitable[None]]


async def compare_claims(
    run: Run, results: Results, amounts: Sequence[int], seed: Seed, word: str
) -> None:
    """Claim from databases of each amount by turns, and end what was claimed.

    `seed` brings a database to the amount; what is claimed comes on top.
    """
    async with AsyncExitStack() as stack:
        stores: dict[int, JobStore] = {}
        for amount in amounts:
            url = await stack.enter_async_context(run.databases.new(results.dialect))
            await ModhostQueue(results.dialect).prepare(url)
            await seed(results.dialect, url, amount)
            stores[amount] = await stack.enter_async_context(_store(url))
        await run.databases.settle(results.dialect)
        for turn in range(WARM_UP + run.sizes.claims):
            for amount, store in stores.items():
                claim, end = await _claim_and_end(store)
                if turn >= WARM_UP:
                    results.add(f"{amount:,} {word}", CLAIM, claim)
                    results.add(f"{amount:,} {word}", END, end)


@asynccontextmanager
async def _store(url: str) -> AsyncIterator[JobStore]:
    async with Database(url).open() as database:
        store = open_store(database)
        worker = WorkerInfo(
            name="bench",
            host="here",
            process=1,
            version="1",
            max_concurrency=BATCH,
            job_types=(JOB_TYPE,),
        )
        await store.register(worker, datetime.now(UTC))
        yield store


async def _claim_and_end(store: JobStore) -> tuple[float, float]:
    """Return the milliseconds of a claim, and of the end of what it claimed."""
    began = time.perf_counter()
    claimed = await store.claim("bench", (JOB_TYPE,), BATCH, datetime.now(UTC))
    between = time.perf_counter()
    held = await store.end(
        [Ended(job.lease, JobState.COMPLETED) for job in claimed], datetime.now(UTC)
    )
    over = time.perf_counter()
    if not claimed or len(held) != len(claimed):
        msg = f"{len(claimed)} jobs were claimed, and {len(held)} of them ended."
        raise RuntimeError(msg)
    return 1000 * (between - began), 1000 * (over - between)
