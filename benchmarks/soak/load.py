"""The load of a soak: a producer at a steady rate, and one worker process."""

import time
from collections.abc import AsyncIterator
from typing import Final

import anyio

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Dialect, Kind, Producer
from benchmarks.contenders.modhost_queue import ModhostQueue
from benchmarks.databases import Databases
from benchmarks.fork_servers import ForkServers
from benchmarks.measurements.drain import until_drained
from benchmarks.processes import worker_processes
from benchmarks.soak.sampling import Sample, sample

PROBE: Final = 20_000
CHUNK: Final = 1_000
TICK_SECONDS: Final = 0.05
SAMPLES: Final = 60
# What the documentation advises for thousands of jobs a second.
VACUUM_OFTEN: Final = "ALTER SYSTEM SET autovacuum_naptime = '10s'"


async def drain_rate(databases: Databases, fork_servers: ForkServers) -> float:
    """Return how many jobs a second one worker process drains here."""
    queue = ModhostQueue(Dialect.POSTGRESQL)
    async with databases.new(Dialect.POSTGRESQL) as url:
        async with queue.produce(url) as producer:
            for _ in range(0, PROBE, CHUNK):
                await producer.enqueue_many(Kind.NOOP, CHUNK)
        await databases.settle(Dialect.POSTGRESQL)
        async with worker_processes(fork_servers, queue, url, 1) as workers:
            await workers.go()
            await until_drained(queue, url, workers, PROBE)
            return PROBE / (time.monotonic_ns() - workers.first) * 1e9


async def soak(
    databases: Databases, fork_servers: ForkServers, rate: float, seconds: float
) -> AsyncIterator[Sample]:
    """Load a new database, and sample it sixty times; finished jobs are kept for a minute."""
    queue = ModhostQueue(Dialect.POSTGRESQL)
    await postgres_query.run(databases.server_url, VACUUM_OFTEN)
    await postgres_query.run(databases.server_url, "SELECT pg_reload_conf()")
    async with (
        databases.new(Dialect.POSTGRESQL) as url,
        queue.produce(url) as producer,
        worker_processes(fork_servers, queue, url, 1, "forgetful") as workers,
        anyio.create_task_group() as group,
    ):
        await workers.go()
        pace = _Pace(producer, rate)
        group.start_soon(pace.keep)
        began = last = time.monotonic()
        executed = 0
        for number in range(1, SAMPLES + 1):
            await anyio.sleep(began + seconds * number / SAMPLES - time.monotonic())
            now, before, executed = time.monotonic(), executed, workers.executed
            done = (executed - before) / (now - last)
            yield await sample(url, workers, pace.enqueued, now - began, done)
            last = now
        group.cancel_scope.cancel()


class _Pace:
    """Enqueues so that as many jobs have come as the rate says."""

    def __init__(self, producer: Producer, rate: float) -> None:
        self._producer = producer
        self._rate = rate
        self.enqueued = 0

    async def keep(self) -> None:
        began = time.monotonic()
        while True:
            owed = int((time.monotonic() - began) * self._rate) - self.enqueued
            if owed > 0:
                count = min(owed, CHUNK)
                self.enqueued += count
                await self._producer.enqueue_many(Kind.NOOP, count)
            if owed <= CHUNK:
                await anyio.sleep(TICK_SECONDS)
