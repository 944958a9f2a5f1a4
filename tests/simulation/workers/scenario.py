"""One simulation: events, and then a calm in which every job must finish."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final, cast
from unittest.mock import patch
from uuid import UUID

import anyio
from anyio.abc import TaskGroup

from background_jobs.support import TYPES
from modhost.database import Database
from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy, RegisteredJob
from modhost_background_jobs.model import NewJob, ScheduleDefinition, WorkerInfo
from modhost_background_jobs.queue import firing
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import Turns
from modhost_background_jobs.worker import registration
from simulation.history import History
from simulation.links.databases import Backend, Remote
from simulation.links.faults import Link, Server
from simulation.virtual_time import SkewedClock, VirtualClock, run_virtually
from simulation.workers.hosts import OPTIONS, PROCESS, SimulatedHost
from simulation.workers.invariants import PEOPLE
from simulation.workers.jobs import REGISTERED, Plan
from simulation.workers.stand_ins import FiredWakeups, NoSession
from simulation.world import World

EVERY_MINUTE: Final = ScheduleDefinition(
    name="every minute",
    cron_expression="* * * * *",
    time_zone="UTC",
    job_type=TYPES[0],
    module_name="tests",
    data=Plan(seconds=45).model_dump_json(),
    overlap=OverlapPolicy.SKIP,
    catch_up=CatchUpPolicy.ONE,
    max_attempts=3,
    timeout_seconds=None,
)
CALM_SECONDS: Final = 600.0
FIRST_RUN: Final = 1_000_000
"""The first id of the schedule's runs, above those of all other jobs."""


class Scenario(ABC):
    """A simulation on a real database; all that is random follows the seed."""

    hosts_at_first = 3
    rate = 0.0
    """The share of calls with a fault."""
    options = OPTIONS
    of_one_type = 0.0
    """The share of processes that know one type of jobs only."""

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        self._world = world
        self._backend = backend
        self.clock = clock
        self._seed = seed
        self.random = Random(seed)  # noqa: S311 - it has to be repeatable
        self.history = History(clock)
        self.hosts: list[SimulatedHost] = []
        self.jobs: list[UUID] = []
        self._workers = count(1)
        self._ids = count(1)
        self._runs = count(FIRST_RUN)
        self.server: Server
        self.group: TaskGroup
        self._has_ended = False

    @abstractmethod
    async def play(self) -> None:
        """Play the events before the calm."""

    def run(self) -> History:
        """Run the simulation, and return its history."""
        disabled = logging.root.manager.disable
        # There are thousands of warnings, all of them expected.
        logging.disable(logging.CRITICAL)
        try:
            with (
                patch.object(registration, "identify_worker", self._identify),
                patch.object(firing, "new_id", lambda: UUID(int=next(self._runs))),
            ):
                run_virtually(self.clock, self._seed, self._run)
        finally:
            logging.disable(disabled)
        self.history.troubles = {host.link.name: host.link.troubles for host in self.hosts}
        self.history.waits = {host.link.name: host.link.waits for host in self.hosts}
        self.history.lines = self._backend.lines()
        self.history.stored_steps = self._backend.steps()
        return self.history

    async def _run(self) -> None:
        async with anyio.create_task_group() as late, anyio.create_task_group() as self.group:
            self.server = Server(self.rate, late)
            self._world.clear()
            self._world.do(self._world.changes.put, EVERY_MINUTE)
            people = Link(PEOPLE, self._seed, self.server)
            self.queue = self._remote(self._world.queue, people)
            store = self._backend.store(people, self.history)
            nobody = cast(Database, NoSession())
            self._producer = DatabaseJobQueue(nobody, store, FiredWakeups(), self.clock)
            for _ in range(self.hosts_at_first):
                self.start_host()
            await self.play()
            await self._calm()

    async def _calm(self) -> None:
        """Let those that are there finish all jobs, with others only if they cannot."""
        if not any(host.is_alive and host.types == REGISTERED for host in self.hosts):
            self.start_host(REGISTERED)
        self.server.rate = 0
        self.server.is_down = False
        for host in self.hosts:
            host.link.is_cut = False
        with anyio.move_on_after(CALM_SECONDS):
            while not all(row.state.is_final for row in self.history.rows.values()):
                await anyio.sleep(1)
        self._has_ended = True
        for host in self.hosts:
            host.stop()

    async def enqueue(self, jobs: list[NewJob]) -> None:
        """Enqueue jobs, and record whether that was acknowledged."""
        self.jobs += [job.id for job in jobs]
        try:
            await self._producer.enqueue(jobs)
        except ConnectionResetError:
            return
        self.history.acknowledged.update(job.id for job in jobs)

    def new_job(
        self,
        plan: Plan,
        *,
        job_type: str = TYPES[0],
        wait: float = 0,
        max_attempts: int = 3,
        timeout: float | None = None,
    ) -> NewJob:
        """Return a job with the next free id."""
        now = self.clock.now()
        return NewJob(
            id=UUID(int=next(self._ids)),
            job_type=job_type,
            module_name="tests",
            data=plan.model_dump_json(),
            created_at=now,
            execute_at=now + timedelta(seconds=wait),
            max_attempts=max_attempts,
            timeout_seconds=timeout,
        )

    def start_host(self, types: Sequence[RegisteredJob] | None = None) -> None:
        """Start another process, which knows the given types of jobs, or some."""
        if self._has_ended:
            # Nobody would stop it.
            return
        link = Link(f"process{len(self.hosts) + 1}", self._seed, self.server)
        link.skew = self.skew()
        host = SimulatedHost(
            link,
            self._backend.store(link, self.history),
            self._backend.lane_store(link, self.history),
            self._remote(Turns(self._world.database), link),
            self._remote(self._world.schedules, link),
            self._remote(self._world.changes, link),
            self._remote(self._world.firing, link),
            self.history,
            SkewedClock(self.clock, link.skew),
            self.options,
            types or self._some_types(),
        )
        self.hosts.append(host)
        self.group.start_soon(host.run)

    def skew(self) -> float:
        """Return by how many seconds the clock of the next process is ahead."""
        return 0.0

    def _some_types(self) -> Sequence[RegisteredJob]:
        if self.of_one_type and self.random.random() < self.of_one_type:
            return [self.random.choice(REGISTERED)]
        return REGISTERED

    def _remote(self, target: object, link: Link) -> Remote:
        return Remote(target, link, self._world, self._backend, self.history)

    def _identify(
        self,
        max_concurrency: int,
        job_types: tuple[str, ...],
        queues: tuple[str, ...] = ("*",),
        app_version: str = "",
    ) -> WorkerInfo:
        name = f"{PROCESS.get()}.{next(self._workers)}"
        self.history.knows[name] = job_types
        return WorkerInfo(
            name=name,
            host="here",
            process=1,
            version="1",
            max_concurrency=max_concurrency,
            job_types=job_types,
            queues=queues,
            app_version=app_version,
        )
