"""modhost, on either database."""

import logging
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from benchmarks.contenders import postgres_query, sqlite_query
from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.modhost_jobs import PLAIN, BenchmarkJobs, Noop, Short
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.runtime.serving.server import open_socket, serve
from modhost.testing import RunningHost, running_host
from modhost_background_jobs.contracts import BackgroundJobs, ModuleJob
from modhost_background_jobs.module import BackgroundJobsModule

JOBS: Final[dict[Kind, type[ModuleJob]]] = {Kind.NOOP: Noop, Kind.SHORT: Short}
BATCH_SIZE: Final = {"max_concurrency": 100}
IMPATIENT: Final = {
    "heartbeat_interval": "100ms",
    "stall_timeout": "1s",
    "stall_sweep_interval": "100ms",
}

FORGETFUL: Final = {**BATCH_SIZE, "retention": "1m", "retention_failed": "1m"}


def configured(url: str, mode: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the configuration that modhost is measured with."""
    jobs = {"worker_mode": mode, **(options or {})}
    host = {
        "environment": "development",
        "database_url": url,
        "log_level": "ERROR",
        "bind": "127.0.0.1:0",
    }
    return {"host": host, "modules": {"background_jobs": jobs}}


@asynccontextmanager
async def producing(url: str) -> AsyncIterator[RunningHost]:
    """Run a host that produces and does not consume."""
    modules = [BackgroundJobsModule(), BenchmarkJobs()]
    async with running_host(modules, config=configured(url, "Producer")) as host:
        yield host


def consume(
    url: str,
    executions: Executions,
    options: Mapping[str, Any],
    jobs: Sequence[type[ModuleJob[Any, Any]]],
) -> None:
    """Be what `modhost worker` is, with the jobs of the benchmarks, until SIGTERM."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    configuration = Configuration(configured(url, "Consumer", options))
    modules = [BackgroundJobsModule(), BenchmarkJobs(executions, jobs)]
    host = build_host(configuration, "worker", modules=modules)
    with open_socket("127.0.0.1", 0) as listener:
        serve(host, listener, _greet)


async def _greet() -> None:
    pass


class ModhostProducer:
    """Enqueues through the contract that modules use."""

    def __init__(self, jobs: BackgroundJobs) -> None:
        self._jobs = jobs

    async def enqueue(self, kind: Kind) -> None:
        """Enqueue one."""
        await self._jobs.enqueue(JOBS[kind])

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Enqueue many by one call."""
        await self._jobs.enqueue_many(JOBS[kind], [None] * count)


class ModhostQueue:
    """modhost as its documentation says to run it, with a concurrency for jobs that wait."""

    share = 1.0
    is_limit = False
    uses_database = True

    def __init__(
        self, dialect: Dialect, name: str = "modhost", options: Mapping[str, Any] | None = None
    ) -> None:
        self.dialect = dialect
        self.name = name
        self.is_variant = options is not None
        self.jobs: Sequence[type[ModuleJob[Any, Any]]] = PLAIN
        self._options = BATCH_SIZE if options is None else options
        changed = (f"{option} {value}" for option, value in self._options.items())
        self.settings = ", ".join([*changed, "else defaults" if self._options else "defaults"])

    async def prepare(self, url: str) -> None:
        """Leave it to the producing host, which migrates when it starts in development."""

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[ModhostProducer]:
        """Run a producing host."""
        async with producing(url) as host, host.scope() as scope:
            yield ModhostProducer(await scope.get(BackgroundJobs))

    async def is_drained(self, url: str) -> bool:
        """Return whether the table of live jobs is empty."""
        if self.dialect is Dialect.SQLITE:
            return not sqlite_query.ask(url, "SELECT EXISTS (SELECT 1 FROM background_jobs_jobs)")
        left = await postgres_query.ask(url, "SELECT EXISTS (SELECT FROM background_jobs.jobs)")
        return not left

    def work(self, url: str, executions: Executions) -> None:
        """Be a `modhost worker`."""
        consume(url, executions, self._options, self.jobs)


def contenders() -> list[Contender]:
    """Return modhost on each database, as measured and with its defaults."""
    return [
        *(ModhostQueue(dialect) for dialect in Dialect),
        *(ModhostQueue(dialect, "modhost (defaults)", {}) for dialect in Dialect),
    ]
