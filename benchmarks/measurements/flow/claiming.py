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
from modhost import new_id
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, Ended, Flow, Lane, NewJob, WorkerInfo
from modhost_background_jobs.model.claiming.lanes import Share, Shares
from modhost_background_jobs.storage import JobStore, LaneStore, open_lane_store, open_store

CLAIM: Final = Metric("claim of 100", "ms")
NEW_KEY: Final = Metric("until a new key starts", "claims")
HELD: Final = 100_000
KEYS: Final = 1_000
NEW_KEYS: Final = 5


class Stores(NamedTuple):
    """A database with jobs, and what is asked of it."""

    jobs: JobStore
    lanes: LaneStore
    shares: Shares
    lane: Lane


async def measure(run: Run) -> list[Results]:
    """Claim a hundred jobs, by turns, on each database."""
    measured = []
    for dialect in Dialect if run.has("modhost") else ():
        results = Results("lanes", "Claim with flow control", dialect)
        results.notes.append(
            f"The median of {run.sizes.claims} claims, by turns. Limited jobs have one of "
            f"{KEYS:,} keys, as have those that take turns. In the end {NEW_KEYS} keys come one by "
            "one, each with a job: how many claims later it starts."
        )
        await _compare(run, results)
        measured.append(results)
    return measured


def _scenarios(run: Run) -> dict[str, Sequence[Jobs]]:
    first, last = run.sizes.backlogs[0], run.sizes.backlogs[-1]
    held, keys = min(HELD, last), min(KEYS, last)
    full = Jobs(held, keys, is_limited=True, are_held=True)
    limited = Jobs(first + claimed(run), keys, is_limited=True)
    scenarios: dict[str, Sequence[Jobs]] = {
        f"{first:,} with limits": [limited],
        f"{held:,} behind one key beside": [limited, full],
    }
    # A new key waits for at most a round.
    for count, more in ((first, 0), (last, NEW_KEYS * (keys + BATCH))):
        own = count + claimed(run) + more
        scenarios[f"{count:,} by due time"] = [Jobs(own, keys)]
        scenarios[f"{count:,} in turns"] = [Jobs(own, keys, is_fair=True)]
    return scenarios


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
        row, stores = list(opened.items())[-1]
        for number in range(NEW_KEYS):
            results.add(row, NEW_KEY, await _claims_until_started(stores, number))


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
        yield Stores(store, open_lane_store(database, SystemClock()), shares, lane)


async def _turn(stores: Stores) -> float:
    """Return the milliseconds of a claim, and end what it claimed."""
    began = time.perf_counter()
    jobs = await _claim(stores)
    milliseconds = 1000 * (time.perf_counter() - began)
    await _end(stores, jobs)
    return milliseconds


async def _claims_until_started(stores: Stores, number: int) -> int:
    """Enqueue a job of a new key, and return how many claims later it starts."""
    lane, now = stores.lane, datetime.now(UTC)
    new = NewJob(
        id=new_id(),
        job_type=lane.job_type,
        module_name="benchmarks",
        data=None,
        created_at=now,
        execute_at=now,
        max_attempts=3,
        flow=Flow(queue=lane.queue, priority=lane.priority, fair_key=f"new {number}"),
    )
    await stores.jobs.insert_flowing([new])
    claims, has_started = 0, False
    while not has_started:
        jobs = await _claim(stores)
        claims += 1
        has_started = any(each.lease.job_id == new.id for each in jobs)
        await _end(stores, jobs)
    return claims


async def _claim(stores: Stores) -> list[ClaimedJob]:
    claim = await stores.lanes.claim("bench", stores.shares, BATCH, datetime.now(UTC))
    return claim.jobs


async def _end(stores: Stores, jobs: Sequence[ClaimedJob]) -> None:
    ended = [Ended(each.lease, JobState.COMPLETED) for each in jobs]
    if len(await stores.jobs.end(ended, datetime.now(UTC))) != BATCH:
        msg = f"{len(jobs)} jobs were claimed in place of {BATCH}."
        raise RuntimeError(msg)
