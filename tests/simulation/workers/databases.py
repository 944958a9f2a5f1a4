"""A real database below a simulation, of each kind."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Protocol
from uuid import UUID

from modhost_background_jobs.storage import JobStore
from simulation.workers.faults import Server, Way
from simulation.workers.history import History
from simulation.workers.postgres import PostgresBackend
from simulation.workers.sqlite import SqliteBackend
from simulation.world import World


class Backend(Protocol):
    """A real database below the simulation."""

    def store(self, way: Way, server: Server, history: History) -> JobStore:
        """Return the queue's own store, over a bad way."""
        ...

    def look(self, history: History, by: str) -> None:
        """See what has changed."""
        ...

    def lines(self) -> set[tuple[UUID, str]]:
        """Return the log lines of all jobs."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


@contextmanager
def open_backend(world: World) -> Iterator[Backend]:
    """Connect to the world's database."""
    kind = SqliteBackend if world.database.dialect == "sqlite" else PostgresBackend
    with closing(kind(world)) as backend:
        yield backend
