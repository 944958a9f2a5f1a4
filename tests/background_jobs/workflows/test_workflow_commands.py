"""`modhost jobs workflows`: list, show, cancel and retry."""

import pytest

from background_jobs.commands import Commands
from background_jobs.workflows.nodes import OnlyOneJob, Task, add, workflows_host
from modhost import new_id
from modhost_background_jobs.contracts import JobState, WorkflowConflict

pytestmark = pytest.mark.anyio


async def test_workflows_are_listed_shown_retried_and_cancelled(
    database_url: str, commands: Commands
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Nightly import") as workflow:
            pages = [add(workflow, f"page {number}") for number in range(5)]
            bad = add(workflow, "merge", failures=9, after=pages)
        await jobs.over(workflow.id)
    shown = await commands.done("workflows", "list", "--state", "failed")
    assert all(word in shown for word in ("Nightly import", str(workflow.id), "Failed"))
    assert await commands.done("workflows", "list", "--state", "Running") == "No workflows.\n"
    detail = await commands.done("workflows", "show", str(workflow.id))
    (line,) = [line for line in detail.splitlines() if line.startswith(str(bad.job_id))]
    assert f"{pages[0].job_id}, {pages[1].job_id}, {pages[2].job_id} and 2 more" in line
    run = await commands.run("workflows", "show", str(workflow.id), "--page-size", "2")
    assert run.stderr == "Page 1: 2 of 6 jobs.\n"
    failed = await commands.json("workflows", "show", str(workflow.id), "--state", "Failed")
    assert [each["id"] for each in failed["nodes"]["items"]] == [str(bad.job_id)]
    again = await commands.done("workflows", "retry", str(workflow.id))
    assert again == f"The workflow {workflow.id} runs again.\n"
    cancelled = await commands.json("workflows", "cancel", str(workflow.id))
    assert (cancelled["state"], cancelled["cancelled"]) == ("Cancelled", 1)
    refused = await commands.run("workflows", "cancel", str(workflow.id))
    assert refused.exit_code == 1
    assert "is Cancelled and cannot be cancelled" in refused.stderr


async def test_an_unknown_workflow_is_one_line(commands: Commands) -> None:
    id_ = str(new_id())
    for words in (("show", id_), ("cancel", id_), ("retry", id_)):
        run = await commands.run("workflows", *words)
        assert run.exit_code == 1
        assert run.stderr.strip().endswith(f"There is no workflow with the id {id_}.")
    both = await commands.run("workflows", "list", "--page", "2", "--after", id_)
    assert (both.exit_code, "not both" in both.stderr) == (2, True)


async def test_a_retry_that_unique_keys_forbid_says_so(
    database_url: str, commands: Commands
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Unique") as workflow:
            workflow.add(OnlyOneJob, Task(name="one", failures=9))
        await jobs.over(workflow.id)
        taken = await jobs.scheduling.enqueue(OnlyOneJob, Task(name="one", waits=True))
        await jobs.reaches(taken, JobState.RUNNING)
        run = await commands.run("workflows", "retry", str(workflow.id))
        with pytest.raises(WorkflowConflict, match="no other job has the unique key"):
            await jobs.scheduling.retry_workflow(workflow.id)
        jobs.probe.gate.set()
    assert run.exit_code == 1
    assert "is Failed and cannot be retried" in run.stderr
    assert "no other job has the unique key" in run.stderr
