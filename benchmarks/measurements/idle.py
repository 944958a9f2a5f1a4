"""What a worker process costs that has nothing to do."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from benchmarks.contenders.contender import Contender, Dialect, Kind
from benchmarks.counting.postgres_proxy import counting_proxy
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import Workers, worker_processes
from benchmarks.run import Run
from benchmarks.usage import usage_of

CPU = Metric("CPU", "% of a core")
STATEMENTS = Metric("statements", "/s")
MEMORY = Metric("memory", "MB")
# What a worker does only after its start does not count as idling.
SETTLE_SECONDS = 3.0


async def measure(run: Run) -> list[Results]:
    """Watch an idle worker on each database."""
    return [await _measure(run, dialect) for dialect in Dialect]


async def _measure(run: Run, dialect: Dialect) -> Results:
    results = Results("idle", "Idle worker", dialect)
    results.notes.append(
        f"One worker process for {run.sizes.idle:g} s with an empty queue, after one job. "
        "Statements are counted outside of its code, those that begin and end transactions "
        "included: on PostgreSQL by a proxy, on SQLite by the driver's trace, "
        "which leaves out reads of data_version. The processor time "
        "is that of the worker alone; memory is what is resident."
    )
    for contender in run.turns(dialect, with_limits=False):
        await _watch(run, contender, results)
    return results


async def _watch(run: Run, contender: Contender, results: Results) -> None:
    async with run.databases.new(contender.dialect) as url:
        await contender.prepare(url)
        async with contender.produce(url) as producer:
            await producer.enqueue(Kind.NOOP)
        async with _counted(run, contender, url) as (workers, statements):
            await workers.go()
            await workers.until(lambda: workers.executed == 1, 60, 0.01)
            await anyio.sleep(min(SETTLE_SECONDS, run.sizes.idle))
            asked, before = statements(), usage_of(workers.pid)
            await anyio.sleep(run.sizes.idle)
            asked_after, after = statements(), usage_of(workers.pid)
            if before and after:
                cpu = (after.cpu - before.cpu) / run.sizes.idle
                results.add(contender.name, CPU, 100 * cpu)
                results.add(contender.name, MEMORY, after.memory)
            if contender.uses_database:
                rate = (asked_after - asked) / run.sizes.idle
                results.add(contender.name, STATEMENTS, rate)


@asynccontextmanager
async def _counted(
    run: Run, contender: Contender, url: str
) -> AsyncIterator[tuple[Workers, Callable[[], int]]]:
    """Start a worker process, with the count of its statements."""
    if contender.dialect is Dialect.SQLITE:
        async with worker_processes(run.fork_servers, contender, url, 1, "trace") as workers:
            yield workers, lambda: workers.statements
        return
    async with (
        counting_proxy(url) as (through, counter),
        worker_processes(run.fork_servers, contender, through, 1) as workers,
    ):
        yield workers, lambda: counter.count
