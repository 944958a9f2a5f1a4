"""What becomes of a queue on PostgreSQL while somebody holds a transaction open."""

import time

import anyio
import asyncpg

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Kind, Producer
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import Workers, worker_processes
from benchmarks.run import Run

BACKLOG = 2_000
MAX_AROUND_SECONDS = 30.0
DEAD = "SELECT coalesce(sum(n_dead_tup), 0)::float8 FROM pg_stat_user_tables"
# The server's processes publish their statistics up to a second late.
STATISTICS_SECONDS = 1.5


async def measure(run: Run) -> list[Results]:
    """Load each queue for a while before, during and after; on PostgreSQL alone."""
    results = Results("held", "A transaction held open", Dialect.POSTGRESQL)
    results.notes.append(
        f"A producer keeps about {BACKLOG:,} no-op jobs pending for one worker process on the "
        f"same machine, {run.sizes.held:g} s of them while another connection holds a snapshot, "
        f"and {_around(run):g} s each before and after. Dead rows are those of all tables of the "
        "queue."
    )
    for contender in run.turns(Dialect.POSTGRESQL, with_limits=False):
        if not contender.uses_database:
            continue
        await _measure(run, contender, results)
    return [results]


async def _measure(run: Run, contender: Contender, results: Results) -> None:
    async with run.databases.new(Dialect.POSTGRESQL) as url:
        await contender.prepare(url)
        async with (
            contender.produce(url) as producer,
            worker_processes(run.fork_servers, contender, url, 1) as workers,
            anyio.create_task_group() as group,
        ):
            pause = min(STATISTICS_SECONDS, run.sizes.held)
            group.start_soon(_load, producer, workers)
            await workers.go()
            await workers.until(lambda: workers.executed > 0, 60, 0.01)
            rates = {"before": await _rate(workers, _around(run))}
            await _count_dead(url, contender, results, "before", pause)
            holder = await asyncpg.connect(url)
            await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class")
            rates["during"] = await _rate(workers, run.sizes.held)
            await _count_dead(url, contender, results, "during", pause)
            await holder.close()
            rates["after"] = await _rate(workers, _around(run))
            group.cancel_scope.cancel()
        for when, rate in rates.items():
            results.add(contender.name, Metric(when, "/s"), rate)


def _around(run: Run) -> float:
    return min(run.sizes.held, MAX_AROUND_SECONDS)


async def _load(producer: Producer, workers: Workers) -> None:
    enqueued = 0
    while True:
        if enqueued - workers.executed < BACKLOG:
            await producer.enqueue_many(Kind.NOOP, BACKLOG // 4)
            enqueued += BACKLOG // 4
        else:
            await anyio.sleep(0.002)


async def _rate(workers: Workers, seconds: float) -> float:
    executed, began = workers.executed, time.perf_counter()
    await anyio.sleep(seconds)
    return (workers.executed - executed) / (time.perf_counter() - began)


async def _count_dead(
    url: str, contender: Contender, results: Results, when: str, seconds: float
) -> None:
    await anyio.sleep(seconds)
    dead = await postgres_query.ask(url, DEAD)
    results.add(contender.name, Metric(f"dead rows {when}", "rows"), dead)
