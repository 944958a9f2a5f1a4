"""What is asked for as a whole, over a bad way."""

from collections.abc import Awaitable, Callable
from typing import Any

from simulation.workers.databases import Backend
from simulation.workers.faults import Way
from simulation.workers.history import History
from simulation.world import World


class Distant:
    """An object each of whose methods is one transaction, asked for over a bad way."""

    def __init__(
        self, target: object, way: Way, world: World, backend: Backend, history: History
    ) -> None:
        self._target = target
        self._way = way
        self._world = world
        self._backend = backend
        self._history = history

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            def perform() -> Any:
                try:
                    return self._world.do(getattr(self._target, name), *arguments)
                finally:
                    self._backend.look(self._history, self._way.name)

            return await self._way.call(perform)

        return call
