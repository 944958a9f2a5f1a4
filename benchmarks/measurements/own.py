"""What modhost alone offers, or does as applications do: data, transactions, job processes."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.contenders.installed import named
from benchmarks.contenders.modhost_jobs import Apart, Letter, Mail, Noop
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import worker_processes
from benchmarks.run import Run
from modhost.database import Database
from modhost.testing import RunningHost
from modhost_background_jobs.contracts import BackgroundJobs, ModuleJob

SINGLE = Metric("one by one", "/s")
BULK = Metric("bulk", "/s")
DRAIN = Metric("drain, 1 process", "/s")
LETTER: Final = Letter(to="somebody@example.org", text="x" * 1000)
DEADLINE_SECONDS: Final = 600
POLL_INTERVAL: Final = 0.005

PLAIN: Final = "no data"
DATA: Final = "1 kB of data"
TRANSACTION: Final = "in a transaction of the caller"
APART: Final = "in a process of its own"


async def measure(run: Run) -> list[Results]:
    """Enqueue and drain in the ways of applications, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    sizes = run.sizes
    results = Results("own", "Jobs as applications have them", dialect)
    results.notes.append(
        f"{sizes.single:,} jobs one by one, {sizes.short:,} in bulk and drained. A transaction of "
        f"the caller is a session that enqueues one job. Jobs in processes of their own are "
        f"{sizes.apart:,}, with the default max_concurrency, after their processes have started."
    )
    for contender in run.own_turns(dialect):
        await _enqueue(run, results)
        for row, job, data in ((PLAIN, Noop, None), (DATA, Mail, LETTER)):
            await _drain(run, contender, results, row, job, data)
        patient = named("modhost (defaults)", dialect)
        results.add(APART, DRAIN, await _drain_apart(run, patient))
    return results


async def _enqueue(run: Run, results: Results) -> None:
    async with (
        run.databases.new(results.dialect) as url,
        producing(url) as host,
        host.scope() as scope,
    ):
        jobs = await scope.get(BackgroundJobs)

        async def plain() -> None:
            await jobs.enqueue(Noop)

        async def data() -> None:
            await jobs.enqueue(Mail, LETTER)

        for row, enqueue in (
            (PLAIN, plain),
            (DATA, data),
            (TRANSACTION, await _in_transaction(host, jobs)),
        ):
            await enqueue()
            await run.databases.settle(results.dialect)
            began = time.perf_counter()
            for _ in range(run.sizes.single):
                await enqueue()
            results.add(row, SINGLE, run.sizes.single / (time.perf_counter() - began))


async def _in_transaction(host: RunningHost, jobs: BackgroundJobs) -> Callable[[], Awaitable[None]]:
    async with host.scope() as scope:
        database = await scope.get(Database)

    async def enqueue() -> None:
        async with database.session() as session:
            await jobs.enqueue(Noop, session=session)

    return enqueue


async def _drain(
    run: Run,
    contender: Contender,
    results: Results,
    row: str,
    job: type[ModuleJob],
    data: Letter | None,
) -> None:
    count = run.sizes.short
    async with run.databases.new(contender.dialect) as url:
        async with producing(url) as host, host.scope() as scope:
            jobs = await scope.get(BackgroundJobs)
            began = time.perf_counter()
            for first in range(0, count, run.sizes.chunk):
                await jobs.enqueue_many(job, [data] * min(run.sizes.chunk, count - first))
            results.add(row, BULK, count / (time.perf_counter() - began))
        await run.databases.settle(contender.dialect)
        async with worker_processes(run.fork_servers, contender, url, 1) as workers:
            await workers.go()
            await _until_drained(contender, url)
            results.add(row, DRAIN, count / (time.monotonic_ns() - workers.first) * 1e9)


async def _drain_apart(run: Run, contender: Contender) -> float:
    """Return jobs a second, once the processes for them are there."""
    async with (
        run.databases.new(contender.dialect) as url,
        producing(url) as host,
        host.scope() as scope,
        worker_processes(run.fork_servers, contender, url, 1, "all") as workers,
    ):
        jobs = await scope.get(BackgroundJobs)
        await workers.go()
        for count in (min(10, run.sizes.apart), run.sizes.apart):
            began = time.perf_counter()
            await jobs.enqueue_many(Apart, [None] * count)
            await _until_drained(contender, url)
        return count / (time.perf_counter() - began)


async def _until_drained(contender: Contender, url: str) -> None:
    with anyio.fail_after(DEADLINE_SECONDS):
        while not await contender.is_drained(url):
            await anyio.sleep(POLL_INTERVAL)
