"""What a worker process costs that has nothing to do."""

import anyio

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Kind
from benchmarks.processes import worker_processes
from benchmarks.results import Metric, Results
from benchmarks.run import Run
from benchmarks.usage import usage_of

CPU = Metric("CPU", "% of a core")
TRANSACTIONS = Metric("transactions", "/s")
MEMORY = Metric("memory", "MB")
# PostgreSQL counts what happened up to ten seconds ago.
SETTLE_SECONDS = 12.0
COMMITS = """
SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1
"""


async def measure(run: Run) -> list[Results]:
    """Watch an idle worker on each database."""
    return [await _measure(run, dialect) for dialect in Dialect]


async def _measure(run: Run, dialect: Dialect) -> Results:
    results = Results("idle", "Idle worker", dialect)
    results.notes.append(
        f"One worker process for {run.sizes.idle:g} s with an empty queue, after one job. "
        "Transactions are the database's own count; the processor time is that of the worker "
        "alone; memory is what is resident."
    )
    for contender in run.turns(dialect, with_limits=False):
        await _watch(run, contender, results)
    return results


async def _watch(run: Run, contender: Contender, results: Results) -> None:
    async with run.databases.new(contender.dialect) as url:
        await contender.prepare(url)
        async with contender.produce(url) as producer:
            await producer.enqueue(Kind.NOOP)
        async with worker_processes(contender, url, 1) as workers:
            await workers.go()
            await workers.until(lambda: workers.executed == 1, 60, 0.01)
            await anyio.sleep(min(SETTLE_SECONDS, run.sizes.idle))
            commits, before = await _commits(run, contender, url), usage_of(workers.pid)
            await anyio.sleep(run.sizes.idle)
            commits_after, after = await _commits(run, contender, url), usage_of(workers.pid)
            if before and after:
                cpu = (after.cpu - before.cpu) / run.sizes.idle
                results.add(contender.name, CPU, 100 * cpu)
                results.add(contender.name, MEMORY, after.memory)
            if commits is not None and commits_after is not None:
                rate = (commits_after - commits) / run.sizes.idle
                results.add(contender.name, TRANSACTIONS, rate)


async def _commits(run: Run, contender: Contender, url: str) -> int | None:
    if contender.dialect is not Dialect.POSTGRESQL:
        return None
    name = url.partition("?")[0].rpartition("/")[2]
    # Asked from another database, which is not counted.
    found: int = await postgres_query.ask(run.databases.server_url, COMMITS, name)
    return found
