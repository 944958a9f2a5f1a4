"""What a measurement asks of a contender."""

import time
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final, Protocol

import anyio

from benchmarks.shared_counters import SharedCounters

SHORT_SECONDS: Final = 0.001


class Dialect(StrEnum):
    """A kind of database."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


class Kind(StrEnum):
    """What a job does."""

    NOOP = "noop"
    SHORT = "short"
    """Waits a millisecond, as for a network."""


class Executions:
    """What jobs do in a worker process: each counts itself when it ends.

    A producer, which only names jobs, has no counters.
    """

    def __init__(self, counters: SharedCounters | None = None) -> None:
        self._counters = counters

    def count(self, executions: int = 1) -> None:
        """Count executions. Raises `RuntimeError` in a producer."""
        if self._counters is None:
            msg = "A producer was asked to execute a job."
            raise RuntimeError(msg)
        self._counters.add(executions)

    async def noop(self) -> None:
        """Do nothing."""
        self.count()

    async def short(self) -> None:
        """Wait a millisecond."""
        await anyio.sleep(SHORT_SECONDS)
        self.count()

    def noop_in_thread(self) -> None:
        """Do nothing, for contenders whose jobs are plain functions."""
        self.count()

    def short_in_thread(self) -> None:
        """Wait a millisecond, for contenders whose jobs are plain functions."""
        time.sleep(SHORT_SECONDS)
        self.count()


class Producer(Protocol):
    """Puts jobs into a queue."""

    async def enqueue(self, kind: Kind) -> None:
        """Store one job; it is durable when this returns. Called concurrently too."""
        ...

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Store many jobs by the fastest call that the contender offers."""
        ...


class Contender(Protocol):
    """A queue on one kind of database.

    Attributes:
        name: as the tables show it.
        dialect: the kind of its database.
        settings: what differs from its defaults, in words.
        share: the part of the jobs of a drain that it gets, for those that would take too long.
        is_limit: whether it is a bare driver, without workers that live on when nothing is due.
        is_variant: whether it is another one with other workers, which differ in drains alone.
        uses_database: whether its jobs are in the database, and not beside it.

    """

    name: str
    dialect: Dialect
    settings: str
    share: float
    is_limit: bool
    is_variant: bool
    uses_database: bool

    async def prepare(self, url: str) -> None:
        """Create the tables in an empty database."""
        ...

    def produce(self, url: str) -> AbstractAsyncContextManager[Producer]:
        """Open a producer; one process, as many connections as it likes."""
        ...

    async def is_drained(self, url: str) -> bool:
        """Return whether no job is left that waits or runs."""
        ...

    def work(self, url: str, executions: Executions) -> None:
        """Be a worker process until SIGTERM."""
        ...
