"""How fast worker processes empty the queue."""

import time

import anyio

from benchmarks.contenders.contender import Contender, Dialect, Kind
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import Workers, worker_processes
from benchmarks.run import Run

DEADLINE_SECONDS = 900
POLL_INTERVAL = 0.005
FLATTERED = "what slows as it goes, as procrastinate does, is flattered by that"


async def measure(run: Run) -> list[Results]:
    """Drain jobs that do nothing, and jobs that wait, with one and with two processes."""
    return [await _measure(run, dialect) for dialect in Dialect]


async def _measure(run: Run, dialect: Dialect) -> Results:
    sizes = run.sizes
    results = Results("drain", "Drain", dialect)
    results.notes.append(
        f"{sizes.noop:,} no-op jobs and {sizes.short:,} that wait 1 ms, enqueued before the "
        "workers begin; from the first execution until the database holds no job that waits "
        "or runs."
    )
    results.notes += _shares(run, dialect)
    for kind, count in ((Kind.NOOP, sizes.noop), (Kind.SHORT, sizes.short)):
        for contender in run.turns(dialect, with_variants=True):
            # A limit has no jobs that could wait.
            if contender.is_limit and kind is Kind.SHORT:
                continue
            for processes in sizes.processes:
                words = "process" if processes == 1 else "processes"
                what = "no-op" if kind is Kind.NOOP else "1 ms"
                metric = Metric(f"{what}, {processes} {words}", "/s")
                rate = await _drain(run, contender, kind, count, processes)
                results.add(contender.name, metric, rate)
    return results


def _shares(run: Run, dialect: Dialect) -> list[str]:
    """Return a note about contenders that drain fewer jobs, which can only flatter them."""
    shares = {
        contender.name: f"{contender.name} {contender.share:.0%}"
        for contender in run.turns(dialect, with_variants=True)
        if contender.share < 1
    }
    if not shares:
        return []
    return [f"Only a part of the jobs was given to {', '.join(shares.values())}; {FLATTERED}."]


async def _drain(run: Run, contender: Contender, kind: Kind, count: int, processes: int) -> float:
    count = max(1, int(count * contender.share))
    async with run.databases.new(contender.dialect) as url:
        await contender.prepare(url)
        async with contender.produce(url) as producer:
            for first in range(0, count, run.sizes.chunk):
                await producer.enqueue_many(kind, min(run.sizes.chunk, count - first))
        await run.databases.settle(contender.dialect)
        async with worker_processes(run.fork_servers, contender, url, processes) as workers:
            await workers.go()
            await until_drained(contender, url, workers, count)
            nanoseconds = time.monotonic_ns() - workers.first
    return count / nanoseconds * 1e9


async def until_drained(contender: Contender, url: str, workers: Workers, count: int) -> None:
    """Wait until workers have executed so many jobs, and none is left; each has run once."""
    await workers.until(lambda: workers.executed >= count, DEADLINE_SECONDS, POLL_INTERVAL)
    with anyio.fail_after(DEADLINE_SECONDS):
        while not await contender.is_drained(url):
            await anyio.sleep(POLL_INTERVAL)
    if workers.executed != count:
        msg = f"{contender.name} executed {workers.executed} times what were {count} jobs."
        raise RuntimeError(msg)
