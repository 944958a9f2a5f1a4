"""huey on SQLite."""

import logging
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import huey
from huey.consumer import Consumer

from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.sqlite_query import PREFIX, ask

FEW: Final = 4
MANY: Final = 100


class HueyProducer:
    """Enqueues tasks, which huey does one by one."""

    def __init__(self, tasks: dict[Kind, Any]) -> None:
        self._tasks = tasks

    async def enqueue(self, kind: Kind) -> None:
        """Enqueue one, on the calling thread: there is one writer anyway."""
        self._tasks[kind]()

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Enqueue one after the other; huey has no call for many."""
        for _ in range(count):
            await self.enqueue(kind)


class HueyQueue:
    """huey as durable as the others; it forgets a task when it takes it."""

    dialect = Dialect.SQLITE
    share = 0.5
    is_limit = False
    uses_database = True

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.settings = f"SqliteHuey, fsync=True, {threads} threads, no results kept"
        self.is_variant = threads != FEW
        self._threads = threads

    async def prepare(self, url: str) -> None:
        """Create the tables."""
        _open(url).storage.close()

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[HueyProducer]:
        """Open the queue."""
        queue = _open(url)
        try:
            yield HueyProducer(_tasks(queue, Executions()))
        finally:
            queue.storage.close()

    async def is_drained(self, url: str) -> bool:
        """Return whether no task waits; one that runs is not in the database any more."""
        return not ask(url, "SELECT EXISTS (SELECT 1 FROM task)")

    def work(self, url: str, executions: Executions) -> None:
        """Run a consumer of threads, which SIGTERM asks to stop."""
        logging.getLogger("huey").setLevel(logging.CRITICAL)
        queue = _open(url)
        _tasks(queue, executions)
        consumer = Consumer(queue, workers=self._threads, periodic=False)
        consumer.start()
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
        stopped.wait()
        consumer.stop(graceful=True)


def _open(url: str) -> Any:
    return huey.SqliteHuey(
        "benchmark", filename=url.removeprefix(PREFIX), fsync=True, results=False
    )


def _tasks(queue: Any, executions: Executions) -> dict[Kind, Any]:
    def noop() -> None:
        executions.noop_in_thread()

    def short() -> None:
        executions.short_in_thread()

    return {Kind.NOOP: queue.task()(noop), Kind.SHORT: queue.task()(short)}


def contenders() -> list[Contender]:
    """Return huey with few threads, and with as many as others run jobs at once."""
    return [HueyQueue("huey", FEW), HueyQueue(f"huey ({MANY} threads)", MANY)]
