"""Requests and disasters, in any order."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio

from background_jobs.support import TYPES
from modhost_background_jobs.contracts import JobConflict, JobNotFound
from modhost_background_jobs.model import NewJob
from simulation.links.databases import Backend
from simulation.virtual_time import VirtualClock
from simulation.workers.hosts import SimulatedHost
from simulation.workers.jobs import Plan
from simulation.workers.scenario import Scenario
from simulation.world import World

STORM_SECONDS: Final = 90.0
PAUSE_SECONDS: Final = 2.5
RATES: Final = (0.0, 0.02, 0.1, 0.25)
OUTAGES: Final = (2.0, 10.0, 19.0, 21.0, 40.0)
CUT: Final = (15.0, 32.0)
"""Seconds, from minimum to maximum: workers count as dead after 20 to 30 s."""
LATEST: Final = 5
"""People cancel and retry only so many of the latest jobs: most others have finished."""


class Storm(Scenario):
    """Requests and disasters, in any order."""

    seconds = STORM_SECONDS
    pause_seconds = PAUSE_SECONDS
    of_one_type = 0.3

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        self.rate = self.random.choice(RATES)
        self._acts: dict[Callable[[], Awaitable[None]], float] = {
            self._enqueue: 12,
            self._cancel: 4,
            self._retry: 2,
            self._wake: 6,
            self._kill: 0.8,
            self._stop: 1,
            self._cut: 2,
            self._take_down: 0.3,
        }

    async def play(self) -> None:
        with anyio.move_on_after(self.seconds):
            while True:
                await anyio.sleep(self.random.expovariate(1 / self.pause_seconds))
                self.group.start_soon(*self.random.choices(*zip(*self._acts.items(), strict=True)))

    async def _enqueue(self) -> None:
        await self.enqueue([self._any_job() for _ in range(self.random.randint(1, 3))])

    def _any_job(self) -> NewJob:
        pick = self.random
        seconds = pick.choice([0, 0.5, 3, 12, 20, 30])
        lines = pick.randint(1, 4)
        plan = Plan(
            seconds=seconds,
            lines=lines,
            has_steps=lines % 2 == 0,
            failures=pick.choice([0, 0, 0, 1, 2]),
            first_ends=pick.choice(
                ["as all", "as all", "as all", "permanent error", "snooze", "own cancellation"]
            ),
            stop_delay=pick.choice([0, 0, 0, 0, 1.5, 6]),
        )
        return self.new_job(
            plan,
            job_type=pick.choice([TYPES[0], TYPES[0], TYPES[1]]),
            wait=pick.choice([0, 0, 0, 4]),
            max_attempts=pick.randint(1, 3),
            timeout=pick.choice([None, None, None, 5.0]),
        )

    async def _cancel(self) -> None:
        await self._ask(self.queue.cancel)

    async def _retry(self) -> None:
        await self._ask(self.queue.retry)

    async def _ask(self, ask: Callable[..., Awaitable[Any]]) -> None:
        if not self.jobs:
            return
        try:
            await ask(self.random.choice(self.jobs[-LATEST:]))
        except (JobNotFound, JobConflict, ConnectionResetError):
            return

    async def _wake(self) -> None:
        for host in self.hosts:
            host.wakeups.fire()

    async def _kill(self) -> None:
        await self._replace(SimulatedHost.kill)

    async def _stop(self) -> None:
        await self._replace(SimulatedHost.stop)

    async def _replace(self, end: Callable[[SimulatedHost], None]) -> None:
        alive = [host for host in self.hosts if host.is_alive]
        if alive:
            end(self.random.choice(alive))
        await anyio.sleep(self.random.uniform(0, 15))
        self.start_host()

    async def _cut(self) -> None:
        link = self.random.choice(self.hosts).link
        link.is_cut = True
        await anyio.sleep(self.random.uniform(*CUT))
        link.is_cut = False

    async def _take_down(self) -> None:
        self.server.is_down = True
        await anyio.sleep(self.random.choice(OUTAGES))
        self.server.is_down = False
