"""A real database of each kind below the simulation, and calls to it over a faulty link."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol
from uuid import UUID

from modhost_background_jobs.storage import JobStore, LaneStore
from simulation.history import History
from simulation.links.faults import Link
from simulation.links.postgres import PostgresBackend
from simulation.links.sqlite import SqliteBackend
from simulation.world import World


class Backend(Protocol):
    """A real database below the simulation."""

    def store(self, link: Link, history: History) -> JobStore:
        """Return the queue's own store, over a faulty link."""
        ...

    def lane_store(self, link: Link, history: History) -> LaneStore:
        """Return the store of lanes, over the same link."""
        ...

    def observe(self, history: History, by: str) -> None:
        """Record what has changed."""
        ...

    def lines(self) -> set[tuple[UUID, str]]:
        """Return the log lines of all jobs."""
        ...

    def steps(self) -> dict[tuple[UUID, str], int]:
        """Return the steps of all jobs, each with the fence under which it was stored."""
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


class Remote:
    """An object whose methods are called over a faulty link, each as one transaction."""

    def __init__(
        self, target: object, link: Link, world: World, backend: Backend, history: History
    ) -> None:
        self._target = target
        self._link = link
        self._world = world
        self._backend = backend
        self._history = history

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            def perform() -> Any:
                try:
                    return self._world.do(getattr(self._target, name), *arguments)
                finally:
                    self._backend.observe(self._history, self._link.name)

            return await self._link.call(perform)

        return call
