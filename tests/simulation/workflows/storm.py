"""A storm of workflows, of jobs that continue others, and of people who change their minds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from modhost.database import Database
from modhost_background_jobs.contracts import (
    InvalidWorkflow,
    JobConflict,
    JobNotFound,
    WorkflowConflict,
)
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.model.workflow import NewWorkflow, Node
from simulation.flow.storm import FlowStorm
from simulation.links.databases import Backend
from simulation.links.faults import Link
from simulation.virtual_time import VirtualClock
from simulation.workers.invariants import PEOPLE
from simulation.workers.jobs import Plan
from simulation.workflows.graph import Graph
from simulation.world import World

T = TypeVar("T")

DEFAULT: Final = {"sqlite": (0, 1), "postgresql": (2,)}
FIRST_WORKFLOW: Final = 2_000_000
REFUSALS: Final = (
    ConnectionResetError,
    InvalidWorkflow,
    JobConflict,
    JobNotFound,
    WorkflowConflict,
)
WHEN: Final[tuple[RunWhen, ...]] = ("succeeded", "succeeded", "failed", "finished")


class WorkflowStorm(FlowStorm):
    """Small graphs of all shapes, many of whose jobs fail, and few workers that die often."""

    seconds = 90.0
    shapes: Sequence[tuple[int, ...]] = (
        *((1, 4, 1), (4, 1), (1, 1, 1, 1)),
        *((2, 3, 2), (1, 5), (3, 2, 1)),
    )
    """How many jobs there are in each layer of a workflow."""
    long_share = 0.15
    """The share of jobs that take as long as it takes to find a worker dead."""

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        # Whoever dies with a job twice has it fail, and takes that back when it lives after all.
        self.options = self.options.model_copy(update={"max_rescues": 2})
        self.graph = Graph()
        self._started: list[UUID] = []
        self._acts |= {
            self._enqueue: 4,
            self._start_workflow: 7,
            self._continue: 8,
            self._cancel_workflow: 1,
            self._retry: 6,
            self._retry_workflow: 3,
            self._kill: 3,
            self._cut: 4,
            self._pause: 0.5,
            self._set_limit: 0.5,
        }

    async def play(self) -> None:
        link = Link(f"{PEOPLE} of workflows", self._seed, self.server)
        self._workflows = self._remote(self._world.workflows, link)
        link.name = PEOPLE
        await super().play()

    def read(self, reading: Callable[[Database], Awaitable[T]]) -> T:
        """Read what is stored."""
        return self._world.do(reading, self._world.database)

    async def _start_workflow(self) -> None:
        """Store layers of jobs, each of which waits for some of those before it."""
        pick = self.random
        workflow_id = UUID(int=FIRST_WORKFLOW + len(self._started))
        self._started.append(workflow_id)
        jobs: list[NewJob] = []
        shape = pick.choice(self.shapes)
        before = self._some_jobs(2) if pick.random() < 0.3 else []
        for size in shape:
            layer = []
            for _ in range(size):
                some = pick.sample(before, pick.randint(1, len(before))) if before else []
                after = before if pick.random() < 0.6 else some
                layer.append(self._node(workflow_id, after))
            jobs += layer
            before = [each.id for each in layer] + (before if pick.random() < 0.2 else [])
        workflow = NewWorkflow(workflow_id, "storm", self.clock.now(), None)
        await self._try(self._workflows.store, workflow, jobs, None, ids={each.id for each in jobs})

    def _node(self, workflow_id: UUID | None, after: list[UUID]) -> NewJob:
        job = self._any_job()
        node = Node(workflow_id, tuple(after), self.random.choice(WHEN) if after else "succeeded")
        self.graph.add(job.id, node)
        self.control.jobs[job.id] = job
        self.jobs.append(job.id)
        return replace(job, node=node)

    def _any_job(self) -> NewJob:
        job = super()._any_job()
        if self.random.random() > self.long_share:
            return job
        return replace(job, data=Plan(seconds=30).model_dump_json(), timeout_seconds=None)

    async def _continue(self) -> None:
        """Enqueue a job after some that are there, whatever has become of them."""
        if after := self._some_jobs(3):
            job = self._node(None, after)
            self.jobs.remove(job.id)
            await self._try(self.queue.enqueue, [job], ids=set())
            self.jobs.append(job.id)

    def _some_jobs(self, most: int) -> list[UUID]:
        latest = [job for job in self.jobs[-12:] if job in self.history.rows]
        return self.random.sample(latest, min(len(latest), self.random.randint(1, most)))

    async def _cancel(self) -> None:
        if self.jobs:
            job = self.random.choice(self.jobs[-12:])
            self.graph.asked.add(job)
            await self._try(self.queue.cancel, job)

    async def _retry(self) -> None:
        failed = [job for job in self.jobs[-40:] if self._has_failed(job)]
        if failed:
            await self._try(self.queue.retry, self.random.choice(failed))

    async def _cancel_workflow(self) -> None:
        if self._started:
            workflow = self.random.choice(self._started[-3:])
            self.graph.asked.add(workflow)
            await self._try(self._workflows.cancel, workflow)

    async def _retry_workflow(self) -> None:
        if self._started:
            await self._try(self._workflows.retry, self.random.choice(self._started[-6:]))

    def _has_failed(self, job: UUID) -> bool:
        row = self.history.rows.get(job)
        return row is not None and row.state.value == "Failed"

    async def _try(self, act: Any, *arguments: Any, ids: set[UUID] | None = None) -> None:
        """Ask for something that may be refused, or lost; `ids` are then acknowledged."""
        try:
            await act(*arguments)
        except REFUSALS:
            return
        self.history.acknowledged.update(ids or ())
        await self._notify()
