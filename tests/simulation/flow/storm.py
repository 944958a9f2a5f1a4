"""A storm in which jobs have queues, priorities, limits, unique keys and turns."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, Literal

import anyio

from background_jobs.support import TYPES
from modhost_background_jobs.model import Flow, LimitKey, NewJob, UniqueKey
from simulation.flow.control import LIMIT_OF, MAX_OF, Control, Operators
from simulation.links.databases import Backend
from simulation.links.faults import Link
from simulation.storm import Storm
from simulation.virtual_time import VirtualClock
from simulation.workers.hosts import OPTIONS
from simulation.workers.invariants import PEOPLE
from simulation.workers.jobs import Plan
from simulation.world import World

KINDS: Final = 5
"""How many kinds of jobs a storm has."""
PAUSE_SECONDS: Final = 0.9
SKEW_SECONDS: Final = 2.0
SLOWEST_SECONDS: Final = 20.0
UNTIL: Final[Sequence[Literal["finished", "started"] | timedelta]] = (
    "finished",
    "started",
    timedelta(seconds=6),
)
DEFAULT: Final = {"sqlite": (0, 1), "postgresql": (2,)}


class FlowStorm(Storm):
    """Many small jobs of few kinds, which stand in each other's way."""

    pause_seconds = PAUSE_SECONDS
    of_one_type = 0.0

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        self.control = Control()
        self.calm_at = 0.0
        self._kinds = [self._any_kind() for _ in range(KINDS)]
        if self.random.random() < 0.5:
            self.options = OPTIONS.model_copy(update={"queue_concurrency": {"bulk": 1}})
        self._is_skewed = world.database.dialect == "postgresql"
        self._operators = Operators(world, clock, self.control)
        self._acts |= {self._pause: 2, self._resume: 2, self._set_limit: 1, self._wake: 12}

    def skew(self) -> float:
        return self.random.uniform(-SKEW_SECONDS, SKEW_SECONDS) if self._is_skewed else 0.0

    async def play(self) -> None:
        self._world.do(self._operators.add_limits)
        self._people = self._remote(
            self._operators, Link(f"{PEOPLE} of flow", self._seed, self.server)
        )
        await super().play()
        # Calls of operators may be in flight.
        await anyio.sleep(SLOWEST_SECONDS)
        for kind, name in {each[:2] for each in self.control.pauses}:
            self._world.do(self._operators.resume, kind, name)
        self.calm_at = self.clock.monotonic()

    async def enqueue(self, jobs: list[NewJob]) -> None:
        self.control.jobs |= {job.id: job for job in jobs}
        self.jobs += [job.id for job in jobs]
        try:
            ids = await self.queue.enqueue(jobs)
        except ConnectionResetError:
            return
        self.history.acknowledged.update(ids)
        await self._notify()

    def _any_kind(self) -> Flow:
        pick = self.random
        limits = pick.choice([(), ("one",), ("two",), ("rate",), ("slow",), ("one", "rate")])
        return Flow(
            queue=pick.choice(["default", "default", "mail", "bulk"]),
            priority=pick.choice([0, 0, 0, 10, -5]),
            limits=tuple(LimitKey(name, "") for name in limits),
            fair_key=None if limits else pick.choice([None, ""]),
        )

    def _any_job(self) -> NewJob:
        pick = self.random
        plan = Plan(
            seconds=pick.choice([0, 0.2, 0.5, 2, 4]),
            lines=1,
            failures=pick.choice([0, 0, 0, 0, 0, 1]),
            first_ends=pick.choice(["as all"] * 6 + ["permanent error", "snooze"]),
        )
        job = self.new_job(
            plan, wait=pick.choice([0, 0, 0, 3]), timeout=pick.choice([None, None, None, 3.0])
        )
        kind = pick.choice(self._kinds)
        flow = replace(
            kind,
            limits=tuple(LimitKey(each.limit, pick.choice("ab")) for each in kind.limits),
            fair_key=None if kind.fair_key is None else pick.choice("xxxxyz"),
        )
        job = replace(job, job_type=pick.choice(TYPES), flow=flow)
        # What replaces another job would bring its lane and keys: those have none.
        is_plain = not flow.limits and flow.fair_key is None
        unique = self._any_unique_key(f"{job.job_type} {flow.lane(job.job_type)}")
        return replace(job, flow=replace(flow, unique=unique)) if is_plain else job

    def _any_unique_key(self, of: str) -> UniqueKey | None:
        """Return one of few keys for jobs of a lane, each of which holds in one way."""
        until: Literal["finished", "started"] | timedelta = self.random.choice(UNTIL)
        number = self.random.choice([1, 2, None])
        if number is None:
            return None
        digest = f"{until} {number} {of}"
        return UniqueKey(digest=digest, until=until, replaces=self.random.random() < 0.3)

    async def _notify(self) -> None:
        """Wake workers, as a notification of the database does."""
        await anyio.sleep(self.random.uniform(0, 0.02))
        for host in self.hosts:
            if not host.link.is_cut and not self.server.is_down:
                host.wakeups.fire()

    async def _pause(self) -> None:
        seconds = self.random.choice([None, 3.0, 12.0])
        await self._operate("pause", *self._any_stop(), seconds)

    async def _resume(self) -> None:
        await self._operate("resume", *self._any_stop())

    def _any_stop(self) -> tuple[str, str]:
        queues = [("queue", each.queue) for each in self._kinds]
        return self.random.choice([*queues, *(("type", name) for name in TYPES)])

    async def _set_limit(self) -> None:
        name = self.random.choice(list(LIMIT_OF))
        await self._operate("set_limit", name, self.random.choice(MAX_OF[name]))

    async def _operate(self, what: str, *arguments: object) -> None:
        try:
            await getattr(self._people, what)(*arguments)
        except ConnectionResetError:
            return
        await self._notify()
