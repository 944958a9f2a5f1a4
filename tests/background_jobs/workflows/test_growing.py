"""Jobs that add others to their workflow, and read the results of those before them."""

from contextlib import AbstractAsyncContextManager

import pytest
from pydantic import BaseModel

from background_jobs.jobs_module import Probe
from background_jobs.workflows.nodes import NotingJob, Task, Workflows, add, workflows_host
from modhost_background_jobs.contracts import (
    InvalidWorkflow,
    JobExecutionContext,
    JobState,
    ModuleJob,
    WorkflowState,
)

pytestmark = pytest.mark.anyio


class Plan(BaseModel):
    """How many jobs to add, and how often to fail after that."""

    parts: int = 3
    failures: int = 0


class Part(BaseModel):
    number: int


class PlanningJob(ModuleJob[Plan]):
    """Adds a job for each part."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    async def execute(self, context: JobExecutionContext[Plan]) -> None:
        for number in range(context.data.parts):
            part = context.workflow.add(CountingJob, Part(number=number))
            context.workflow.add(NotingJob, Task(name=f"after {number}"), after=part)
        self.probe.started["plan"] += 1
        if self.probe.started["plan"] <= context.data.failures:
            raise ValueError("not yet")


class ThreadPlanningJob(ModuleJob[Plan]):
    """The same in a thread."""

    def execute(self, context: JobExecutionContext[Plan]) -> None:
        for number in range(context.data.parts):
            context.workflow.add(CountingJob, Part(number=number))


class CountingJob(ModuleJob[Part, int | None]):
    """Returns ten times its number; of a negative one nothing."""

    async def execute(self, context: JobExecutionContext[Part]) -> int | None:
        return context.data.number * 10 if context.data.number >= 0 else None


class SummingJob(ModuleJob[None, list[int]]):
    """Returns the results of the jobs before it."""

    async def execute(self, context: JobExecutionContext[None]) -> list[int]:
        return [each async for each in context.results(int)]


class MisreadingJob(ModuleJob[None]):
    """Reads results as what they are not."""

    async def execute(self, context: JobExecutionContext[None]) -> None:
        async for _ in context.results(Part):
            pass


MORE = (PlanningJob, ThreadPlanningJob, CountingJob, SummingJob, MisreadingJob)


def growing_host(database_url: str) -> AbstractAsyncContextManager[Workflows]:
    return workflows_host(database_url, MORE)


@pytest.mark.parametrize("planning", [PlanningJob, ThreadPlanningJob])
async def test_what_waits_for_a_job_waits_for_those_that_it_adds(
    database_url: str, planning: type[ModuleJob[Plan]]
) -> None:
    async with growing_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Growing") as workflow:
            planned = workflow.add(planning, Plan(parts=5))
            summed = workflow.add(SummingJob, after=planned)
            add(workflow, "last", after=summed)
        found = await jobs.over(workflow.id)
        assert found.state is WorkflowState.COMPLETED
        assert found.total == found.completed == (13 if planning is PlanningJob else 8)
        assert await jobs.querying.get_result(summed.job_id, list[int]) == [0, 10, 20, 30, 40]
    assert jobs.started()[-1] == "last"


async def test_an_attempt_that_fails_adds_nothing(database_url: str) -> None:
    async with growing_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Failing first") as workflow:
            planned = workflow.add(PlanningJob, Plan(parts=2, failures=2))
            summed = workflow.add(SummingJob, after=planned)
        found = await jobs.over(workflow.id)
        assert (found.total, found.completed) == (6, 6)
        assert (await jobs.detail(planned.job_id)).retry_count == 2
        assert await jobs.querying.get_result(summed.job_id, list[int]) == [0, 10]


async def test_a_job_of_no_workflow_adds_nothing(database_url: str) -> None:
    async with growing_host(database_url) as jobs:
        alone = await jobs.scheduling.enqueue(PlanningJob, Plan(), max_attempts=1)
        failed = await jobs.ends(alone)
    assert failed.state is JobState.FAILED
    assert InvalidWorkflow.__name__ in (failed.error or "")


async def test_results_are_in_the_order_of_the_jobs_before(database_url: str) -> None:
    async with growing_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Ordered") as workflow:
            parts = [workflow.add(CountingJob, Part(number=number)) for number in range(120)]
            nothing = workflow.add(CountingJob, Part(number=-1))
            bad = add(workflow, "bad", failures=9)
            wanted = [parts[7], nothing, bad, *parts[100:], parts[3]]
            summed = workflow.add(SummingJob, after=wanted, when="finished")
            misread = workflow.add(MisreadingJob, after=parts[:1])
        await jobs.over(workflow.id)
        result = await jobs.querying.get_result(summed.job_id, list[int])
        assert result == [70, *(number * 10 for number in range(100, 120)), 30]
        failed = await jobs.detail(misread.job_id)
        assert failed.state is JobState.FAILED
        assert f"The result of the job {parts[0].job_id} does not fit Part" in (failed.error or "")
        alone = await jobs.scheduling.enqueue(SummingJob)
        await jobs.ends(alone)
        assert await jobs.querying.get_result(alone, list[int]) == []
        continuing = await jobs.scheduling.enqueue(SummingJob, after=parts[2])
        await jobs.ends(continuing)
        assert await jobs.querying.get_result(continuing, list[int]) == [20]
