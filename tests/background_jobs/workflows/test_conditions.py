"""When a job of a workflow runs, and when it is cancelled since it no longer can."""

import pytest

from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.workflows.nodes import add, workflows_host
from modhost_background_jobs.contracts import JobState, WorkflowState

pytestmark = pytest.mark.anyio


async def test_a_job_runs_after_those_before_it(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Chain") as workflow:
            pages = [add(workflow, f"page {number}") for number in range(5)]
            merged = add(workflow, "merge", after=pages)
            add(workflow, "publish", after=merged)
            add(workflow, "tell", after=merged, when="failed")
            add(workflow, "clean", after=[merged, *pages], when="finished")
        found = await jobs.over(workflow.id)
    assert found.state is WorkflowState.COMPLETED
    assert (found.total, found.completed, found.cancelled, found.failed) == (9, 8, 1, 0)
    started = jobs.started()
    assert sorted(started[:5]) == [f"page {number}" for number in range(5)]
    assert started[5] == "merge"
    assert sorted(started[6:]) == ["clean", "publish"]


async def test_what_can_no_longer_run_is_cancelled_with_a_reason_that_names_the_job(
    database_url: str,
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Failing") as workflow:
            bad = add(workflow, "bad", failures=9)
            good = add(workflow, "good")
            merged = add(workflow, "merge", after=[good, bad])
            published = add(workflow, "publish", after=merged)
            add(workflow, "tell", after=published, when="failed")
            add(workflow, "clean", after=[published, good], when="finished")
        found = await jobs.over(workflow.id)
        assert found.state is WorkflowState.FAILED
        assert (found.completed, found.failed, found.cancelled) == (3, 1, 2)
        for node in (merged, published):
            job = await jobs.detail(node.job_id)
            assert job.state is JobState.CANCELLED
            assert job.error == (
                f"cancelled: the job {bad.job_id} failed or was cancelled, and this one runs when "
                "it succeeds."
            )
    assert sorted(jobs.started()) == ["bad", "clean", "good", "tell"]


async def test_a_job_that_runs_when_one_fails_runs_at_once_and_once(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Compensation") as workflow:
            slow = add(workflow, "slow", waits=True)
            bad = [add(workflow, f"bad {number}", failures=9) for number in range(3)]
            undo = add(workflow, "undo", after=[slow, *bad], when="failed")
        await jobs.reaches(undo.job_id, JobState.COMPLETED)
        jobs.probe.gate.set()
        found = await jobs.over(workflow.id)
    assert (found.failed, found.completed) == (3, 2)
    assert jobs.started().count("undo") == 1


async def test_a_job_that_runs_when_one_fails_is_cancelled_when_none_did(
    database_url: str,
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Fine") as workflow:
            before = [add(workflow, f"job {number}") for number in range(2)]
            undo = add(workflow, "undo", after=before, when="failed")
            add(workflow, "after undo", after=undo, when="failed")
        found = await jobs.over(workflow.id)
        job = await jobs.detail(undo.job_id)
    assert found.state is WorkflowState.COMPLETED
    assert job.state is JobState.CANCELLED
    assert (job.error or "").startswith("cancelled: it runs when a job before it fails")
    assert sorted(jobs.started()) == ["after undo", "job 0", "job 1"]


async def test_jobs_of_a_workflow_are_retried_before_they_count_as_failed(
    database_url: str,
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Retried") as workflow:
            flaky = workflow.add(ReportingJob, Work(name="flaky", failures=2))
            add(workflow, "after", after=flaky)
        found = await jobs.over(workflow.id)
    assert found.state is WorkflowState.COMPLETED
    assert jobs.probe.started["flaky"] == 3
