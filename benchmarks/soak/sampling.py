"""What a soak samples, again and again."""

from dataclasses import dataclass

import asyncpg

from benchmarks.processes import Workers
from benchmarks.usage import usage_of

DEAD = "SELECT coalesce(sum(n_dead_tup), 0)::float8 FROM pg_stat_user_tables"
SIZE = "SELECT pg_database_size(current_database())::float8 / 1e6"


@dataclass(frozen=True)
class Sample:
    """One sample.

    Attributes:
        seconds: how long the load had lasted.
        rate: jobs executed a second since the sample before.
        backlog: jobs enqueued and not executed yet.
        dead: dead rows of all tables.
        size: megabytes of the database on disk.
        memory: megabytes that the worker has.

    """

    seconds: float
    rate: float
    backlog: float
    dead: float
    size: float
    memory: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s: {self.rate:7,.0f}/s, {self.backlog:7,.0f} behind, "
            f"{self.dead:9,.0f} dead rows, {self.size:6,.0f} MB on disk, {self.memory:4,.0f} MB"
        )


async def sample(url: str, workers: Workers, enqueued: int, seconds: float, rate: float) -> Sample:
    """Ask the server and the system."""
    connection = await asyncpg.connect(url)
    try:
        dead, size = await connection.fetchval(DEAD), await connection.fetchval(SIZE)
    finally:
        await connection.close()
    usage = usage_of(workers.pid)
    memory = usage.memory if usage else 0.0
    return Sample(seconds, rate, enqueued - workers.executed, dead, size, memory)
