"""Celery with Redis as its broker, which stands beside PostgreSQL as a second stack."""

import logging
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import celery
import redis
from celery.exceptions import SecurityWarning

from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.redis_server import URL_VARIABLE

PREFETCH: Final = 100
THREADS: Final = 100
# Where kombu's Redis transport keeps what waits, and what is delivered and not acknowledged.
WAITING: Final = "celery"
UNACKNOWLEDGED: Final = "unacked"


class CeleryProducer:
    """Sends tasks, which Celery does one by one."""

    def __init__(self, tasks: dict[Kind, Any]) -> None:
        self._tasks = tasks

    async def enqueue(self, kind: Kind) -> None:
        """Send one, on the calling thread: Celery's client waits."""
        self._tasks[kind].apply_async()

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Send one after the other; Celery has no call for many."""
        for _ in range(count):
            await self.enqueue(kind)


class CeleryQueue:
    """Celery, with acknowledgement after the execution."""

    dialect = Dialect.POSTGRESQL
    share = 0.1
    is_limit = False
    uses_database = False

    def __init__(self, name: str, pool: str, concurrency: int) -> None:
        self.name = name
        self.settings = (
            f"Redis with appendfsync always, not PostgreSQL; {pool} {concurrency}, acks_late, "
            f"prefetch {PREFETCH}, no results kept"
        )
        self.is_variant = concurrency > 1
        self._pool = ["--pool", pool, "--concurrency", str(concurrency)]
        self._prefetch = PREFETCH // concurrency

    async def prepare(self, url: str) -> None:
        """Empty the broker."""
        with _broker() as broker:
            broker.flushall()

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[CeleryProducer]:
        """Open the application."""
        app = _app()
        try:
            yield CeleryProducer(_tasks(app, Executions()))
        finally:
            app.close()

    async def is_drained(self, url: str) -> bool:
        """Return whether nothing waits and all that was delivered is acknowledged."""
        with _broker() as broker:
            return not broker.llen(WAITING) and not broker.hlen(UNACKNOWLEDGED)

    def work(self, url: str, executions: Executions) -> None:
        """Run a worker, which handles the signal itself."""
        logging.getLogger("celery").setLevel(logging.CRITICAL)
        # That of running as root, which benchmarks may.
        warnings.simplefilter("ignore", SecurityWarning)
        app = _app()
        app.conf.worker_prefetch_multiplier = self._prefetch
        _tasks(app, executions)
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "CRITICAL"]
        app.worker_main(["--quiet", "worker", *self._pool, *quiet])


def _broker() -> Any:
    return redis.Redis.from_url(os.environ[URL_VARIABLE])


def _app() -> Any:
    app = celery.Celery("benchmark", broker=os.environ[URL_VARIABLE])
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def _tasks(app: Any, executions: Executions) -> dict[Kind, Any]:
    def noop() -> None:
        executions.noop_in_thread()

    def short() -> None:
        executions.short_in_thread()

    return {
        Kind.NOOP: app.task(noop, name=Kind.NOOP.value),
        Kind.SHORT: app.task(short, name=Kind.SHORT.value),
    }


def contenders() -> list[Contender]:
    """Return Celery with its default kind of pool and with threads, where Redis is there."""
    if not os.environ.get(URL_VARIABLE):
        return []
    threads = CeleryQueue(f"celery ({THREADS} threads)", "threads", THREADS)
    return [CeleryQueue("celery", "prefork", 1), threads]
