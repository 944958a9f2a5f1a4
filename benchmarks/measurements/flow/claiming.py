"""Whether a claim costs more beside many jobs that a limit holds back, or among many in turns."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple

from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.measurements.claims import BATCH, WARM_UP, claimed
from benchmarks.measurements.flow.seeding import Jobs, add_jobs, finish
from benchmarks.run import Run
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, WorkerInfo
from modhost_background_jobs.model.lanes import Share, Shares
from modhost_background_jobs.storage import JobStore, LaneStore, open_lane_store, open_store

CLAIM: Final = Metric("claim of 100", "ms")
HELD: Final = 100_000
KEYS: Final = 1_000


class Stores(NamedTuple):
    """A database with jobs, and what is asked of it."""

    jobs: JobStore
    lanes: LaneStore
    shares: Shares


async def measure(run: Run) -> list[Results]:
    """Claim a hundred jobs, by turns, on each database."""
    measured = []
    for dialect in Dialect if run.has("modhost") else ():
        results = Results("lanes", "Claim with flow control", dialect)
        results.notes.append(
            f"The median of {run.sizes.claims} claims, by turns. Limited jobs have one of "
            f"{KEYS:,} keys, as have those that take turns."
        )
        await _compare(run, results)
        measured.append(results)
    return measured


def _scenarios(run: Run) -> dict[str, Sequence[Jobs]]:
    first, last = run.sizes.backlogs[0], run.sizes.backlogs[-1]
    held, keys = min(HELD, last), min(KEYS, last)
    limited = Jobs(first + claimed(run), keys)
    scenarios: dict[str, Sequence[Jobs]] = {
        f"{first:,} with limits": [limited],
        f"{held:,} behind one key beside": [limited, Jobs(held, keys, are_held=True)],
    }
    return scenarios | {
        f"{count:,} in turns": [Jobs(count + claimed(run), keys, is_fair=True)]
        for count in (first, last)
    }


async def _compare(run: Run, results: Results) -> None:
    async with AsyncExitStack() as stack:
        opened: dict[str, Stores] = {}
        for row, jobs in _scenarios(run).items():
            url = await stack.enter_async_context(run.databases.new(results.dialect))
            async with producing(url):
                pass
            for some in jobs:
                await add_jobs(results.dialect, url, some)
            await finish(results.dialect, url)
            opened[row] = await stack.enter_async_context(_stores(url, jobs[0]))
        await run.databases.settle(results.dialect)
        for turn in range(WARM_UP + run.sizes.claims):
            for row, stores in opened.items():
                milliseconds = await _turn(stores)
                if turn >= WARM_UP:
                    results.add(row, CLAIM, milliseconds)


@asynccontextmanager
async def _stores(url: str, jobs: Jobs) -> AsyncIterator[Stores]:
    async with Database(url).open() as database:
        store = open_store(database)
        lane = jobs.lane
        worker = WorkerInfo(
            name="bench",
            host="here",
            process=1,
            version="1",
            max_concurrency=BATCH,
            job_types=(lane.job_type,),
        )
        await store.register(worker, datetime.now(UTC))
        shares = Shares(
            types=[Share(lane.job_type, 0.0, BATCH)],
            lanes=[Share(lane.stored, 0.0, BATCH)],
            has_limits=lane.is_limited,
        )
        yield Stores(store, open_lane_store(database, SystemClock()), shares)


async def _turn(stores: Stores) -> float:
    """Return the milliseconds of a claim, and end what it claimed."""
    began = time.perf_counter()
    claim = await stores.lanes.claim("bench", stores.shares, BATCH, datetime.now(UTC))
    milliseconds = 1000 * (time.perf_counter() - began)
    ended = [Ended(each.lease, JobState.COMPLETED) for each in claim.jobs]
    if len(await stores.jobs.end(ended, datetime.now(UTC))) != BATCH:
        msg = f"{len(claim.jobs)} jobs were claimed in place of {BATCH}."
        raise RuntimeError(msg)
    return milliseconds
