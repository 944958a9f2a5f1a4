"""How soon an idle worker process begins a job that another process enqueues."""

import random
import time
from statistics import quantiles

import anyio

from benchmarks.contenders.contender import Contender, Dialect, Kind
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import Workers, worker_processes
from benchmarks.run import Run

DEADLINE_SECONDS = 60
POLL_INTERVAL = 0.001
WARM_UP = 3


async def measure(run: Run) -> list[Results]:
    """Measure from the call of enqueue to the execution, the commit included."""
    return [await _measure(run, dialect) for dialect in Dialect]


async def _measure(run: Run, dialect: Dialect) -> Results:
    results = Results("pickup", "Pick-up latency", dialect)
    results.notes.append(
        f"{run.sizes.pickups} no-op jobs a round, each into an empty queue after a pause of 20 to "
        "120 ms; from the call of enqueue, commit included, to the execution in the other process."
    )
    for contender in run.turns(dialect, with_limits=False):
        taken = await _pick_ups(run, contender)
        parts = quantiles(taken, n=100, method="inclusive")
        for percent in (50, 95, 99):
            results.add(contender.name, Metric(f"p{percent}", "ms"), parts[percent - 1])
    return results


async def _pick_ups(run: Run, contender: Contender) -> list[float]:
    """Return the milliseconds that each job took."""
    taken: list[float] = []
    async with run.databases.new(contender.dialect) as url:
        await contender.prepare(url)
        async with (
            contender.produce(url) as producer,
            worker_processes(run.fork_servers, contender, url, 1) as workers,
        ):
            await workers.go()
            for number in range(WARM_UP + run.sizes.pickups):
                await anyio.sleep(random.uniform(0.02, 0.12))  # noqa: S311 - not for secrets
                began = time.monotonic_ns()
                await producer.enqueue(Kind.NOOP)
                await _executed(workers, number + 1)
                if number >= WARM_UP:
                    taken.append((workers.last - began) / 1e6)
    return taken


async def _executed(workers: Workers, count: int) -> None:
    await workers.until(lambda: workers.executed >= count, DEADLINE_SECONDS, POLL_INTERVAL)
