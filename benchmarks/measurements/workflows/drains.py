"""How fast jobs that wait for each other run, beside plain ones, and how fast they are stored."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.contenders.modhost_jobs import Noop, Returning, Stepping
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import worker_processes
from benchmarks.run import Run
from modhost_background_jobs.contracts import BackgroundJobs

STORE: Final = Metric("stored", "/s")
DRAIN: Final = Metric("drain, 1 process", "/s")
SECONDS: Final = Metric("stored in", "s")
DEADLINE_SECONDS: Final = 900
POLL_INTERVAL: Final = 0.005

PLAIN: Final = "plain"
FAN_OUT: Final = "fan-out"
FAN_IN: Final = "fan-in"
CHAIN: Final = "chain"
RESULTS: Final = "with a result"
STEPS: Final = "with a step"
LARGE: Final = "a workflow of many jobs"


async def measure(run: Run) -> list[Results]:
    """Store and drain, by turns, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    count, chain, large = run.sizes.noop, run.sizes.chain, run.sizes.workflow
    results = Results("workflows", "Workflows, results and steps", dialect)
    results.notes.append(
        f"{count:,} jobs that do nothing, stored by one call, then drained: plain, after one job "
        f"(fan-out), before one job (fan-in). The chain has {chain:,} jobs, and the workflow of "
        f"many jobs {large:,}, of which it is measured how fast they are stored."
    )
    ways = {
        PLAIN: (_plain, count),
        FAN_OUT: (_fan_out, count),
        FAN_IN: (_fan_in, count),
        RESULTS: (_results, count),
        STEPS: (_steps, count),
        CHAIN: (_chain, chain),
    }
    for contender in run.own_turns(dialect):
        for row, (store, jobs) in ways.items():
            await _drain(run, contender, results, row, store, jobs)
        async with run.databases.new(dialect) as url, producing(url) as host, host.scope() as scope:
            began = time.perf_counter()
            await _fan_in(await scope.get(BackgroundJobs), large)
            results.add(LARGE, SECONDS, time.perf_counter() - began)
    return results


async def _drain(
    run: Run,
    contender: Contender,
    results: Results,
    row: str,
    store: Callable[[BackgroundJobs, int], Awaitable[None]],
    count: int,
) -> None:
    async with run.databases.new(contender.dialect) as url:
        async with producing(url) as host, host.scope() as scope:
            began = time.perf_counter()
            await store(await scope.get(BackgroundJobs), count)
            results.add(row, STORE, count / (time.perf_counter() - began))
        await run.databases.settle(contender.dialect)
        async with worker_processes(run.fork_servers, contender, url, 1, "all") as workers:
            await workers.go()
            with anyio.fail_after(DEADLINE_SECONDS):
                while not await contender.is_drained(url):
                    await anyio.sleep(POLL_INTERVAL)
            results.add(row, DRAIN, count / (time.monotonic_ns() - workers.first) * 1e9)


async def _plain(jobs: BackgroundJobs, count: int) -> None:
    await jobs.enqueue_many(Noop, [None] * count)


async def _results(jobs: BackgroundJobs, count: int) -> None:
    await jobs.enqueue_many(Returning, [None] * count)


async def _steps(jobs: BackgroundJobs, count: int) -> None:
    await jobs.enqueue_many(Stepping, [None] * count)


async def _fan_out(jobs: BackgroundJobs, count: int) -> None:
    async with jobs.workflow("fan-out") as workflow:
        first = workflow.add(Noop)
        for _ in range(count - 1):
            workflow.add(Noop, after=first)


async def _fan_in(jobs: BackgroundJobs, count: int) -> None:
    async with jobs.workflow("fan-in") as workflow:
        parts = [workflow.add(Noop) for _ in range(count - 1)]
        workflow.add(Noop, after=parts)


async def _chain(jobs: BackgroundJobs, count: int) -> None:
    async with jobs.workflow("chain") as workflow:
        last = workflow.add(Noop)
        for _ in range(count - 1):
            last = workflow.add(Noop, after=last)
