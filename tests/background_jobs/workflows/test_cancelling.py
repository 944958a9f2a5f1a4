"""Cancelling a job of a workflow, or all of it."""

import pytest

from background_jobs.workflows.nodes import NotingJob, Task, add, workflows_host
from modhost import new_id
from modhost_background_jobs.contracts import (
    JobNotFound,
    JobState,
    WorkflowConflict,
    WorkflowId,
    WorkflowState,
)

pytestmark = pytest.mark.anyio


async def test_a_cancelled_job_takes_along_what_waits_for_its_success(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Stopped") as workflow:
            gate = add(workflow, "gate", waits=True)
            middle = add(workflow, "middle", after=gate)
            last = add(workflow, "last", after=middle)
            add(workflow, "tell", after=last, when="failed")
        await jobs.scheduling.cancel(middle.job_id)
        assert (await jobs.detail(last.job_id)).error == (
            f"cancelled: the job {middle.job_id} was cancelled, and this one runs when it succeeds."
        )
        jobs.probe.gate.set()
        found = await jobs.over(workflow.id)
    assert (found.state, found.completed, found.cancelled) == (WorkflowState.CANCELLED, 2, 2)
    assert sorted(jobs.started()) == ["gate", "tell"]


async def test_a_running_job_that_is_cancelled_counts_as_cancelled(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Stopped") as workflow:
            gate = add(workflow, "gate", waits=True)
            add(workflow, "next", after=gate)
            add(workflow, "undo", after=gate, when="failed")
        await jobs.probe.until(lambda: jobs.probe.started["gate"] == 1)
        await jobs.scheduling.cancel(gate.job_id)
        found = await jobs.over(workflow.id)
    assert (found.state, found.completed, found.cancelled) == (WorkflowState.CANCELLED, 1, 2)
    assert jobs.started() == ["gate", "undo"]


async def test_a_whole_workflow_is_cancelled(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Whole") as workflow:
            gate = add(workflow, "gate", waits=True)
            done = add(workflow, "done")
            add(workflow, "next", after=[gate, done])
            add(workflow, "undo", after=gate, when="failed")
        await jobs.probe.until(lambda: jobs.probe.started["gate"] == 1)
        await jobs.reaches(done.job_id, JobState.COMPLETED)
        outside = await jobs.scheduling.enqueue(
            NotingJob, Task(name="outside"), after=gate, when="finished"
        )
        left = await jobs.scheduling.cancel_workflow(workflow.id)
        assert left.pending == 0
        found = await jobs.over(workflow.id)
        assert (found.state, found.completed, found.cancelled) == (WorkflowState.CANCELLED, 1, 3)
        await jobs.reaches(outside, JobState.COMPLETED)
        with pytest.raises(WorkflowConflict, match="is Cancelled and cannot be cancelled"):
            await jobs.scheduling.cancel_workflow(workflow.id)
        with pytest.raises(JobNotFound, match="There is no workflow"):
            await jobs.scheduling.cancel_workflow(WorkflowId(new_id()))
    assert sorted(jobs.started()) == ["done", "gate", "outside"]


async def test_a_workflow_that_waits_for_workers_is_cancelled_at_once(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        async with jobs.scheduling.workflow("Early") as workflow:
            first = add(workflow, "first")
            add(workflow, "second", after=first)
        found = await jobs.scheduling.cancel_workflow(workflow.id)
        assert (found.state, found.cancelled) == (WorkflowState.CANCELLED, 2)
        job = await jobs.detail(first.job_id)
    assert job.error == "cancelled: the workflow was cancelled before the job began."
