"""pgqueuer on PostgreSQL."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import asyncpg
import pgqueuer
from pgqueuer.queries import Queries

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.until_stopped import work_until_stopped

BATCH: Final = 100
LEFT: Final = "SELECT EXISTS (SELECT FROM pgqueuer)"


class PgqueuerProducer:
    """Enqueues jobs, on one connection or beside others on one of a pool."""

    def __init__(self, single: Any, pooled: Any) -> None:
        self._single = single
        self._pooled = pooled
        self._turn = anyio.Lock()

    async def enqueue(self, kind: Kind) -> None:
        """Enqueue one."""
        if self._turn.locked():
            await self._pooled.enqueue(kind.value, None)
            return
        async with self._turn:
            await self._single.enqueue(kind.value, None)

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Enqueue a batch."""
        await self._single.enqueue([kind.value] * count, [None] * count, [0] * count)


class PgqueuerQueue:
    """pgqueuer with its asyncpg driver and its default durability, all tables logged."""

    name = "pgqueuer"
    dialect = Dialect.POSTGRESQL
    settings = f"batch_size {BATCH}"
    share = 1.0
    is_limit = False
    is_variant = False
    uses_database = True

    async def prepare(self, url: str) -> None:
        """Install the schema."""
        connection = await asyncpg.connect(url)
        await Queries.from_asyncpg_connection(connection).install()
        await connection.close()

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[PgqueuerProducer]:
        """Open a connection, and a pool for concurrent producers."""
        connection = await asyncpg.connect(url)
        try:
            async with asyncpg.create_pool(url, min_size=0, max_size=10) as pool:
                yield PgqueuerProducer(
                    Queries.from_asyncpg_connection(connection), Queries.from_asyncpg_pool(pool)
                )
        finally:
            await connection.close()

    async def is_drained(self, url: str) -> bool:
        """Return whether the queue's table is empty."""
        return not await postgres_query.ask(url, LEFT)

    def work(self, url: str, executions: Executions) -> None:
        """Run a queue manager, which SIGTERM asks to shut down."""
        logging.getLogger("pgqueuer").setLevel(logging.ERROR)
        running: list[Any] = []

        async def work() -> None:
            connection = await asyncpg.connect(url)
            queue = pgqueuer.PgQueuer.from_asyncpg_connection(connection)
            running.append(queue)

            async def noop(_job: Any) -> None:
                await executions.noop()

            async def short(_job: Any) -> None:
                await executions.short()

            queue.entrypoint(Kind.NOOP.value)(noop)
            queue.entrypoint(Kind.SHORT.value)(short)
            await queue.run(batch_size=BATCH)

        work_until_stopped(work, stop=lambda: running[0].shutdown.set())


def contenders() -> list[Contender]:
    """Return pgqueuer."""
    return [PgqueuerQueue()]
