"""How fast jobs get into the queue."""

import time
from collections.abc import Awaitable, Callable

import anyio

from benchmarks.contenders.contender import Dialect, Kind, Producer
from benchmarks.figures.results import Metric, Results
from benchmarks.run import Run

SINGLE = Metric("one by one", "/s")
CONCURRENT = Metric("concurrent", "/s")
BULK = Metric("bulk", "/s")


async def measure(run: Run) -> list[Results]:
    """Enqueue in the three ways, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect]


async def _measure(run: Run, dialect: Dialect) -> Results:
    sizes = run.sizes
    results = Results("enqueue", "Enqueue", dialect)
    results.notes.append(
        f"One producer process: {sizes.single:,} jobs one by one, {sizes.concurrent:,} by as many "
        f"tasks at once, {sizes.bulk:,} by calls for {sizes.chunk:,} each."
    )
    for contender in run.turns(dialect):
        async with run.databases.new(dialect) as url:
            await contender.prepare(url)
            async with contender.produce(url) as producer:
                await producer.enqueue(Kind.NOOP)
                for metric, count, enqueue in (
                    (SINGLE, sizes.single, _one_by_one),
                    (CONCURRENT, sizes.concurrent, _concurrently),
                    (BULK, sizes.bulk, _in_bulk(sizes.chunk)),
                ):
                    await run.databases.settle(dialect)
                    seconds = await _timed(enqueue, producer, count)
                    results.add(contender.name, metric, count / seconds)
    return results


async def _timed(
    enqueue: Callable[[Producer, int], Awaitable[None]], producer: Producer, count: int
) -> float:
    began = time.perf_counter()
    await enqueue(producer, count)
    return time.perf_counter() - began


async def _one_by_one(producer: Producer, count: int) -> None:
    for _ in range(count):
        await producer.enqueue(Kind.NOOP)


async def _concurrently(producer: Producer, count: int) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(producer.enqueue, Kind.NOOP)


def _in_bulk(chunk: int) -> Callable[[Producer, int], Awaitable[None]]:
    async def enqueue(producer: Producer, count: int) -> None:
        for _ in range(count // chunk):
            await producer.enqueue_many(Kind.NOOP, chunk)

    return enqueue
