"""procrastinate on PostgreSQL."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import procrastinate

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.until_stopped import work_until_stopped

CONCURRENCY: Final = 100
LEFT: Final = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"


class ProcrastinateProducer:
    """Defers jobs."""

    def __init__(self, tasks: dict[Kind, Any]) -> None:
        self._tasks = tasks

    async def enqueue(self, kind: Kind) -> None:
        """Defer one."""
        await self._tasks[kind].defer_async()

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Defer a batch."""
        await self._tasks[kind].batch_defer_async(*[{}] * count)


class ProcrastinateQueue:
    """procrastinate with its psycopg connector."""

    name = "procrastinate"
    dialect = Dialect.POSTGRESQL
    settings = f"concurrency {CONCURRENCY}"
    share = 0.1
    is_limit = False
    is_variant = False
    uses_database = True

    async def prepare(self, url: str) -> None:
        """Apply the schema."""
        app = _app(url)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[ProcrastinateProducer]:
        """Open the application, which has a pool of connections."""
        app = _app(url)
        async with app.open_async():
            yield ProcrastinateProducer(_tasks(app, Executions()))

    async def is_drained(self, url: str) -> bool:
        """Return whether no job is to do or being done."""
        return not await postgres_query.ask(url, LEFT)

    def work(self, url: str, executions: Executions) -> None:
        """Run a worker, which handles the signal itself."""
        logging.getLogger("procrastinate").setLevel(logging.ERROR)
        app = _app(url)
        _tasks(app, executions)

        async def work() -> None:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=CONCURRENCY, install_signal_handlers=False, wait=True
                )

        work_until_stopped(work)


def _app(url: str) -> Any:
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))


def _tasks(app: Any, executions: Executions) -> dict[Kind, Any]:
    async def noop() -> None:
        await executions.noop()

    async def short() -> None:
        await executions.short()

    return {
        Kind.NOOP: app.task(noop, name=Kind.NOOP.value),
        Kind.SHORT: app.task(short, name=Kind.SHORT.value),
    }


def contenders() -> list[Contender]:
    """Return procrastinate."""
    return [ProcrastinateQueue()]
