"""How fast jobs with flow control get in and out, beside plain ones."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as numbers
from typing import Final

import anyio

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.contenders.modhost_jobs import InTurns, Keyed, Limited, Mail, Once
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import worker_processes
from benchmarks.run import Run
from modhost_background_jobs.contracts import BackgroundJobs, ModuleJob

SINGLE: Final = Metric("one by one", "/s")
SINGLE_COST: Final = Metric("one by one, processor time", "µs")
BULK: Final = Metric("bulk", "/s")
BULK_COST: Final = Metric("bulk, processor time", "µs")
DRAIN: Final = Metric("drain, 1 process", "/s")
KEYS: Final = 1_000
PRIORITIES: Final = 10
DEADLINE_SECONDS: Final = 900
POLL_INTERVAL: Final = 0.005

PLAIN: Final = "plain"
LIMITED: Final = "a limit for each of 1,000 keys"
PRIORITIZED: Final = "10 priorities"
UNIQUE: Final = "unique keys"
FAIR: Final = "turns of 1,000 keys"


@dataclass(frozen=True)
class Way:
    """A way in which jobs are enqueued."""

    job: type[ModuleJob]
    keys: int | None = KEYS
    """How many keys their data have; None for one each."""
    priorities: int = 1


WAYS: Final = {
    PLAIN: Way(Mail),
    LIMITED: Way(Limited),
    PRIORITIZED: Way(Mail, priorities=PRIORITIES),
    UNIQUE: Way(Once, keys=None),
    FAIR: Way(InTurns),
}


async def measure(run: Run) -> list[Results]:
    """Enqueue and drain, by turns, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    sizes = run.sizes
    results = Results("flow", "Flow control", dialect)
    results.notes.append(
        f"{sizes.single:,} jobs one by one and {sizes.noop:,} in bulk, then drained, all with a "
        "key in their data. A limit is one at a time for each key; unique keys are all different. "
        "The processor time is that of the producer for each job, its threads included."
    )
    for contender in run.own_turns(dialect):
        for row, way in WAYS.items():
            await _drain(run, contender, results, row, way)
    return results


async def _drain(run: Run, contender: Contender, results: Results, row: str, way: Way) -> None:
    bulk, single, keys = run.sizes.noop, run.sizes.single, numbers()

    def data() -> Keyed:
        key = next(keys)
        return Keyed(to="nobody", text="", key=str(key if way.keys is None else key % way.keys))

    async with run.databases.new(contender.dialect) as url:
        async with producing(url) as host, host.scope() as scope:
            jobs = await scope.get(BackgroundJobs)
            await jobs.enqueue(way.job, data())
            with _timed(results, row, single, SINGLE, SINGLE_COST):
                for _ in range(single):
                    await jobs.enqueue(way.job, data(), priority=way.priorities - 1)
            with _timed(results, row, bulk, BULK, BULK_COST):
                await _in_bulk(run, jobs, way, data)
        await run.databases.settle(contender.dialect)
        async with worker_processes(run.fork_servers, contender, url, 1, "all") as workers:
            await workers.go()
            with anyio.fail_after(DEADLINE_SECONDS):
                while not await contender.is_drained(url):
                    await anyio.sleep(POLL_INTERVAL)
            seconds = (time.monotonic_ns() - workers.first) / 1e9
            results.add(row, DRAIN, (1 + single + bulk) / seconds)


@contextmanager
def _timed(results: Results, row: str, jobs: int, rate: Metric, cost: Metric) -> Iterator[None]:
    """Add how fast jobs are enqueued, and what each costs this process, its threads included."""
    began, used = time.perf_counter(), time.process_time()
    yield
    results.add(row, rate, jobs / (time.perf_counter() - began))
    results.add(row, cost, 1e6 * (time.process_time() - used) / jobs)


async def _in_bulk(run: Run, jobs: BackgroundJobs, way: Way, data: Callable[[], Keyed]) -> None:
    left, priority = run.sizes.noop, 0
    while left:
        some = min(run.sizes.chunk, left)
        await jobs.enqueue_many(way.job, [data() for _ in range(some)], priority=priority)
        priority = (priority + 1) % way.priorities
        left -= some
