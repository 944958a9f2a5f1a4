"""Jobs of workflows, which note that they began, and end as their data say."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from uuid import UUID

import anyio
from pydantic import BaseModel

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import Probe
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    Unique,
    Workflow,
    WorkflowId,
    WorkflowNode,
    WorkflowSummary,
)


class Task(BaseModel):
    """What a job is to do: how often it fails before it succeeds."""

    name: str
    failures: int = 0
    waits: bool = False


class NotingJob(ModuleJob[Task]):
    """Notes its name when it begins, and fails as often as its data say."""

    order: ClassVar[list[str]] = []

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    async def execute(self, context: JobExecutionContext[Task]) -> None:
        task = context.get_data(Task)
        self.probe.started[task.name] += 1
        self.order.append(task.name)
        if task.waits:
            await self.probe.gate.wait()
        if self.probe.started[task.name] <= task.failures:
            raise PermanentJobError(f"{task.name} failed")
        self.probe.finished[task.name] += 1


class OnlyOneJob(NotingJob):
    """Is there once for each name."""

    unique = Unique(per="name")


def add(
    workflow: Workflow, name: str, *, failures: int = 0, waits: bool = False, **more: Any
) -> WorkflowNode:
    return workflow.add(NotingJob, Task(name=name, failures=failures, waits=waits), **more)


class Workflows(Jobs):
    """A host with such jobs."""

    async def over(self, workflow_id: UUID, seconds: float = 60) -> WorkflowSummary:
        """Wait until all jobs of a workflow have finished, and return it."""
        with anyio.fail_after(seconds):
            while True:
                found = await self.scheduling.get_workflow(WorkflowId(workflow_id))
                assert found is not None
                if found.state.is_final:
                    return found
                await anyio.sleep(0.01)

    def started(self) -> list[str]:
        """Return the names of the jobs in the order in which they began."""
        return NotingJob.order


@asynccontextmanager
async def workflows_host(
    database_url: str, more_jobs: Sequence[type[ModuleJob]] = (), **options: Any
) -> AsyncIterator[Workflows]:
    NotingJob.order.clear()
    every: list[type[ModuleJob]] = [NotingJob, OnlyOneJob, *more_jobs]
    async with jobs_host(database_url, more_jobs=every, **options) as jobs:
        yield Workflows(jobs, jobs.probe)
