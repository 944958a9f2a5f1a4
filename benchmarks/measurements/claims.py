"""What enqueuing one, claiming and ending a hundred jobs costs, by the queue's own statements."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.measurements.growth.seeding import JOB_TYPE, add_pending
from benchmarks.run import Run
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, NewJob, WorkerInfo
from modhost_background_jobs.storage import JobStore, open_store

BATCH = 100
ENQUEUE = Metric("enqueue of 1", "ms")
CLAIM = Metric("claim of 100", "ms")
END = Metric("end of 100", "ms")
WARM_UP = 2

Seed = Callable[[Dialect, str], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """What a database is filled with, and the types of jobs that are claimed there."""

    seed: Seed
    job_types: Sequence[str] = (JOB_TYPE,)


async def add_claimed(run: Run, dialect: Dialect, url: str) -> None:
    """Add the jobs that the claims take away."""
    await add_pending(dialect, url, claimed(run))


def claimed(run: Run) -> int:
    """Return how many jobs the claims take away."""
    return (WARM_UP + run.sizes.claims) * BATCH


async def compare_claims(run: Run, results: Results, scenarios: Mapping[str, Scenario]) -> None:
    """Enqueue in, and claim from, a database for each scenario by turns; end what was claimed."""
    async with AsyncExitStack() as stack:
        stores: dict[str, JobStore] = {}
        for row, scenario in scenarios.items():
            url = await stack.enter_async_context(run.databases.new(results.dialect))
            async with producing(url):
                pass
            await scenario.seed(results.dialect, url)
            stores[row] = await stack.enter_async_context(worker_store(url, scenario.job_types))
        await run.databases.settle(results.dialect)
        for turn in range(WARM_UP + run.sizes.claims):
            for row, store in stores.items():
                periods = await _turn(store, scenarios[row].job_types)
                if turn >= WARM_UP:
                    for metric, milliseconds in periods.items():
                        results.add(row, metric, milliseconds)


@asynccontextmanager
async def worker_store(url: str, job_types: Sequence[str]) -> AsyncIterator[JobStore]:
    """Open the queue of a database, with a worker named `bench` for these types."""
    async with Database(url).open() as database:
        store = open_store(database)
        worker = WorkerInfo(
            name="bench",
            host="here",
            process=1,
            version="1",
            max_concurrency=BATCH,
            job_types=tuple(job_types),
        )
        await store.register(worker, datetime.now(UTC))
        yield store


async def _turn(store: JobStore, job_types: Sequence[str]) -> dict[Metric, float]:
    """Return the milliseconds of an insert, of a claim, and of the end of what it claimed."""
    job, moments = new_job(job_types[0]), [time.perf_counter()]
    await store.insert([job])
    moments.append(time.perf_counter())
    taken = await store.claim("bench", job_types, BATCH, datetime.now(UTC))
    moments.append(time.perf_counter())
    ended = [Ended(each.lease, JobState.COMPLETED) for each in taken]
    held = await store.end(ended, datetime.now(UTC))
    moments.append(time.perf_counter())
    if not taken or len(held) != len(taken):
        msg = f"{len(taken)} jobs were claimed, and {len(held)} of them ended."
        raise RuntimeError(msg)
    periods = (1000 * (after - before) for before, after in pairwise(moments))
    return dict(zip((ENQUEUE, CLAIM, END), periods, strict=True))


def new_job(job_type: str) -> NewJob:
    """Return a job that is due now."""
    now = datetime.now(UTC)
    return NewJob(
        id=new_id(),
        job_type=job_type,
        module_name="benchmarks",
        data=None,
        created_at=now,
        execute_at=now,
        max_attempts=3,
    )
