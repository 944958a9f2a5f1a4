"""The limit on PostgreSQL: asyncpg, claiming and completing a hundred rows a statement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import asyncpg

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.until_stopped import work_until_stopped

TABLE: Final = """
CREATE TABLE bare (id bigserial PRIMARY KEY, kind text NOT NULL, state smallint NOT NULL DEFAULT 0);
CREATE INDEX bare_pending ON bare (id) WHERE state = 0;
"""
INSERT: Final = "INSERT INTO bare (kind) VALUES ($1) RETURNING id"
INSERT_MANY: Final = "INSERT INTO bare (kind) SELECT unnest($1::text[]) RETURNING id"
CLAIM: Final = """
UPDATE bare SET state = 1 WHERE id IN (
    SELECT id FROM bare WHERE state = 0 ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
COMPLETE: Final = "UPDATE bare SET state = 2 WHERE id = ANY($1::bigint[])"
LEFT: Final = "SELECT EXISTS (SELECT FROM bare WHERE state < 2)"
NAP_SECONDS: Final = 0.005


class BareProducer:
    """Inserts rows."""

    def __init__(self, pool: Any, connection: Any) -> None:
        self._pool = pool
        self._connection = connection
        self._turn = anyio.Lock()

    async def enqueue(self, kind: Kind) -> None:
        """Insert one row, on the one connection or beside others on one of the pool."""
        if self._turn.locked():
            await self._pool.fetchval(INSERT, kind.value)
            return
        async with self._turn:
            await self._connection.fetchval(INSERT, kind.value)

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Insert many rows by one statement."""
        await self._connection.fetch(INSERT_MANY, [kind.value] * count)


class BarePostgres:
    """Three columns, no guarantees beyond durability, and no jobs that are called."""

    name = "bare asyncpg"
    dialect = Dialect.POSTGRESQL
    settings = "claim and complete 100 rows a statement, jobs are not called"
    share = 1.0
    is_limit = True
    is_variant = False
    uses_database = True

    async def prepare(self, url: str) -> None:
        """Create the table."""
        await postgres_query.run(url, TABLE)

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[BareProducer]:
        """Open a connection, and a pool for concurrent inserts."""
        connection = await asyncpg.connect(url)
        try:
            async with asyncpg.create_pool(url, min_size=0, max_size=10) as pool:
                yield BareProducer(pool, connection)
        finally:
            await connection.close()

    async def is_drained(self, url: str) -> bool:
        """Return whether all rows are complete."""
        return not await postgres_query.ask(url, LEFT)

    def work(self, url: str, executions: Executions) -> None:
        """Claim and complete until SIGTERM."""

        async def work() -> None:
            connection = await asyncpg.connect(url)
            while True:
                rows = await connection.fetch(CLAIM)
                if not rows:
                    await anyio.sleep(NAP_SECONDS)
                    continue
                executions.count(len(rows))
                await connection.execute(COMPLETE, [row[0] for row in rows])

        work_until_stopped(work)


def contenders() -> list[Contender]:
    """Return the limit on PostgreSQL."""
    return [BarePostgres()]
