"""How many bytes of PostgreSQL's write-ahead log a job takes, which depend on no machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Kind
from benchmarks.figures.results import Metric, Results
from benchmarks.measurements.drain import until_drained
from benchmarks.processes import worker_processes
from benchmarks.run import Run

BULK = Metric("enqueue in bulk", "B")
SINGLE = Metric("enqueue one by one", "B")
DRAIN = Metric("drain, 1 process", "B")
ALL = Metric("in bulk and drained", "B")
POSITION = "SELECT pg_current_wal_flush_lsn()"
# Images of whole pages depend on when the last checkpoint was, not on the jobs.
WRITTEN = """
SELECT sum(record_size)::float8 FROM pg_get_wal_stats($1, pg_current_wal_flush_lsn())
"""


async def measure(run: Run) -> list[Results]:
    """Enqueue in bulk and one by one, and drain, by turns; on PostgreSQL alone."""
    sizes = run.sizes
    results = Results("wal", "Write-ahead log for each job", Dialect.POSTGRESQL)
    results.notes.append(
        f"Bytes of the records that the server wrote, by pg_walinspect, without images of whole "
        f"pages: for {sizes.noop:,} no-op jobs enqueued by calls for {sizes.chunk:,} each and "
        f"drained by one process, and for {sizes.single:,} enqueued one by one."
    )
    for contender in run.turns(Dialect.POSTGRESQL, with_variants=True):
        if contender.uses_database:
            await _measure(run, contender, results)
    return [results]


async def _measure(run: Run, contender: Contender, results: Results) -> None:
    sizes = run.sizes
    count = max(1, int(sizes.noop * contender.share))
    async with run.databases.new(Dialect.POSTGRESQL) as url:
        await contender.prepare(url)
        await postgres_query.run(url, "CREATE EXTENSION pg_walinspect")
        async with contender.produce(url) as producer:
            async with _written(url) as single:
                for _ in range(sizes.single):
                    await producer.enqueue(Kind.NOOP)
            async with _written(url) as bulk:
                for first in range(0, count, sizes.chunk):
                    await producer.enqueue_many(Kind.NOOP, min(sizes.chunk, count - first))
        await run.databases.settle(contender.dialect)
        count += sizes.single
        async with (
            worker_processes(run.fork_servers, contender, url, 1) as workers,
            _written(url) as drain,
        ):
            await workers.go()
            await until_drained(contender, url, workers, count)
    in_bulk, drained = bulk[0] / (count - sizes.single), drain[0] / count
    results.add(contender.name, BULK, in_bulk)
    results.add(contender.name, SINGLE, single[0] / sizes.single)
    results.add(contender.name, DRAIN, drained)
    results.add(contender.name, ALL, in_bulk + drained)


@asynccontextmanager
async def _written(url: str) -> AsyncIterator[list[float]]:
    """Give a list that holds the bytes written in the block when it has ended."""
    written: list[float] = []
    before = await postgres_query.ask(url, POSITION)
    yield written
    written.append(await postgres_query.ask(url, WRITTEN, before))
