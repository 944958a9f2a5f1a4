"""All of a workflow is stored, or nothing of it."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from background_jobs.jobs_module import UnregisteredJobClass
from background_jobs.workflows.nodes import OnlyOneJob, Task, add, workflows_host
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import (
    InvalidFlow,
    InvalidJobData,
    InvalidWorkflow,
    JobFilter,
    JobId,
    JobNotFound,
    JobState,
    UnregisteredJob,
    WorkflowId,
    WorkflowState,
)

pytestmark = pytest.mark.anyio


async def test_a_block_that_raises_stores_nothing(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        with suppress(ZeroDivisionError):
            async with jobs.scheduling.workflow("Broken") as workflow:
                add(workflow, "first")
                raise ZeroDivisionError
        assert await jobs.scheduling.get_workflow(workflow.id) is None
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 0


async def test_a_workflow_is_part_of_the_callers_transaction(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        database = await jobs.service(Database)
        with suppress(ZeroDivisionError):
            async with database.session() as session:
                async with jobs.scheduling.workflow("Undone", session=session) as undone:
                    add(undone, "first")
                raise ZeroDivisionError
        assert await jobs.scheduling.get_workflow(undone.id) is None
        async with database.session() as session:
            async with jobs.scheduling.workflow("Kept", session=session) as kept:
                add(kept, "second", after=add(kept, "first"))
        found = await jobs.scheduling.get_workflow(kept.id)
    assert found is not None
    assert (found.name, found.state, found.total, found.pending) == (
        "Kept",
        WorkflowState.PENDING,
        2,
        2,
    )


async def test_a_workflow_of_no_jobs_has_finished(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        async with jobs.scheduling.workflow("Empty") as workflow:
            pass
        found = await jobs.scheduling.get_workflow(workflow.id)
    assert found is not None
    assert found.state is WorkflowState.COMPLETED
    assert found.completed_at is not None


async def test_jobs_of_a_workflow_have_what_they_were_given(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        async with jobs.scheduling.workflow("Given") as workflow:
            first = add(workflow, "first", queue="urgent", priority=5, tags=("customer:42",))
            second = add(
                workflow, "second", after=first, max_attempts=7, timeout=timedelta(seconds=3)
            )
        one, other = await jobs.detail(first.job_id), await jobs.detail(second.job_id)
        assert (one.queue, one.priority, one.tags) == ("urgent", 5, ("customer:42",))
        assert other.state is JobState.PENDING
        listed = await jobs.querying.get_jobs(JobFilter(state=JobState.PENDING))
        assert {job.id for job in listed.items} == {first.job_id, second.job_id}
        assert listed.total_count == 2
        of_type = await jobs.querying.get_jobs(
            JobFilter(state=JobState.PENDING, job_type=other.job_type)
        )
        assert of_type.total_count == 2


@pytest.mark.parametrize("name", ["", "x" * 201, "two\nlines", 5])
async def test_a_name_that_nobody_can_read_is_refused(database_url: str, name: Any) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        with pytest.raises(InvalidWorkflow, match="give 1 to 200 printable characters"):
            async with jobs.scheduling.workflow(name):
                pytest.fail("the block runs")


async def test_what_cannot_be_added_is_refused_at_once(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        async with jobs.scheduling.workflow("Mistakes") as workflow:
            first = add(workflow, "first")
            with pytest.raises(InvalidWorkflow, match="give one of"):
                add(workflow, "second", after=first, when="sometimes")
            with pytest.raises(InvalidWorkflow, match="when is 'failed', and after names no job"):
                add(workflow, "second", when="failed")
            with pytest.raises(InvalidWorkflow, match="after has 'page'"):
                add(workflow, "second", after=["page"])
            with pytest.raises(InvalidWorkflow, match="after is 5"):
                add(workflow, "second", after=5)
            with pytest.raises(InvalidFlow):
                add(workflow, "second", priority=500)
            with pytest.raises(InvalidJobData):
                add(workflow, "second", max_attempts=0)
            with pytest.raises(UnregisteredJob):
                workflow.add(UnregisteredJobClass)
        with pytest.raises(InvalidWorkflow, match="has ended"):
            add(workflow, "late")
        found = await jobs.scheduling.get_workflow(workflow.id)
    assert found is not None
    assert found.total == 1


async def test_a_job_to_wait_for_must_exist(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        nobody = JobId(new_id())
        with pytest.raises(JobNotFound, match=str(nobody)):
            async with jobs.scheduling.workflow("Lost") as workflow:
                add(workflow, "after", after=nobody)
        assert await jobs.scheduling.get_workflow(workflow.id) is None
        assert await jobs.scheduling.get_workflow(WorkflowId(new_id())) is None


async def test_a_taken_unique_key_stores_nothing(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        taken = await jobs.scheduling.enqueue(OnlyOneJob, Task(name="one"))
        with pytest.raises(InvalidWorkflow, match=str(taken)):
            async with jobs.scheduling.workflow("Twice") as workflow:
                workflow.add(OnlyOneJob, Task(name="one"), after=add(workflow, "first"))
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 1


async def test_a_job_may_have_an_id_of_the_callers_own(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        own = JobId(new_id())
        async with jobs.scheduling.workflow("Named") as workflow:
            assert add(workflow, "named", job_id=own).job_id == own
        assert (await jobs.detail(own)).state is JobState.PENDING
        with pytest.raises(InvalidWorkflow, match=f"A job has the id {own} already"):
            async with jobs.scheduling.workflow("Again") as again:
                add(again, "after", after=add(again, "named", job_id=own))
        await jobs.scheduling.cancel(own)
        with pytest.raises(InvalidWorkflow, match=f"A job has the id {own} already"):
            async with jobs.scheduling.workflow("Finished") as finished:
                add(finished, "after", after=add(finished, "named", job_id=own))
        twice = JobId(new_id())
        with pytest.raises(InvalidWorkflow, match="have the same job_id"):
            async with jobs.scheduling.workflow("Twice") as both:
                add(both, "second", after=add(both, "first", job_id=twice), job_id=twice)
        assert await jobs.scheduling.get_workflow(again.id) is None


async def test_two_hosts_end_the_jobs_before_one(database_url: str) -> None:
    async with workflows_host(database_url) as first, workflows_host(database_url) as second:
        workflows = []
        for number in range(20):
            async with first.scheduling.workflow(f"Join {number}") as workflow:
                before = [add(workflow, f"{number} {part}") for part in range(8)]
                add(workflow, f"join {number}", after=before)
            workflows.append(workflow.id)
        for workflow_id in workflows:
            found = await first.over(workflow_id)
            assert found.state is WorkflowState.COMPLETED
        await anyio.lowlevel.checkpoint()
    started = first.probe.started + second.probe.started
    assert {started[f"join {number}"] for number in range(20)} == {1}
