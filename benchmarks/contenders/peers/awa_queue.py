"""Awa on PostgreSQL: a core in Rust with a Python binding."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import anyio
import awa
from sqlalchemy.engine import make_url

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.until_stopped import work_until_stopped

WORKERS: Final = 100
CONNECTIONS: Final = 20
STOP_MILLISECONDS: Final = 10_000
QUEUE: Final = "default"
# Its view of all jobs takes seconds for ten thousand of them.
LEFT: Final = """
SELECT (SELECT coalesce(sum(next_lane_seq - first_lane_seq), 0) FROM awa.ready_segments)
    > (SELECT coalesce(sum(completed_count), 0) FROM awa.receipt_completion_batches)
"""


@dataclass
class Nothing:
    """The arguments of a job that needs none."""


class AwaProducer:
    """Enqueues jobs; each client has a pool of connections."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def enqueue(self, kind: Kind) -> None:
        """Enqueue one."""
        await self._client.insert(Nothing(), kind=kind.value)

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Enqueue a batch by COPY."""
        await self._client.enqueue_many_copy([Nothing()] * count, kind=kind.value)


class AwaQueue:
    """Awa on its queue storage, with the other settings of its `start` as they are."""

    dialect = Dialect.POSTGRESQL
    share = 1.0
    is_limit = False
    uses_database = True

    def __init__(self, name: str, options: Mapping[str, int], settings: str) -> None:
        self.name = name
        self.is_variant = not options
        self.settings = f"queue storage, max_workers {WORKERS}, {settings}"
        self._options = options

    async def prepare(self, url: str) -> None:
        """Apply the schema."""
        async with _open(url) as client:
            await client.migrate()
            await client.install_queue_storage()

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[AwaProducer]:
        """Open a client."""
        async with _open(url) as client:
            yield AwaProducer(client)

    async def is_drained(self, url: str) -> bool:
        """Return whether as many jobs are complete as were enqueued."""
        return not await postgres_query.ask(url, LEFT)

    def work(self, url: str, executions: Executions) -> None:
        """Run a worker, which SIGTERM asks to shut down."""
        logging.getLogger("awa").setLevel(logging.ERROR)
        stopped = anyio.Event()

        async def work() -> None:
            async with _open(url) as client:

                async def noop(_job: Any) -> None:
                    await executions.noop()

                async def short(_job: Any) -> None:
                    await executions.short()

                client.task(Nothing, kind=Kind.NOOP.value, queue=QUEUE)(noop)
                client.task(Nothing, kind=Kind.SHORT.value, queue=QUEUE)(short)
                await client.start([{"name": QUEUE, "max_workers": WORKERS, **self._options}])
                await stopped.wait()
                await client.shutdown(timeout_ms=STOP_MILLISECONDS)

        work_until_stopped(work, stop=stopped.set)


def _open(url: str) -> Any:
    # Its driver wants a host besides the folder of the socket.
    named = make_url(url)
    if not named.host:
        named = named.set(host="localhost")
    return awa.AsyncClient(named.render_as_string(hide_password=False), CONNECTIONS)


def contenders() -> list[Contender]:
    """Return Awa as it is fastest, without deadlines, and with its default of five minutes."""
    return [
        AwaQueue("awa", {"deadline_duration_ms": 0}, "no deadline of attempts"),
        AwaQueue("awa (deadlines)", {}, "else defaults"),
    ]
