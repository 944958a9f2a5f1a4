"""What a job says of those that it waits for, and its page of those before and after it."""

from uuid import UUID

import anyio
import pytest

from background_jobs.inspection.test_inspection import sent_for
from background_jobs.workflows.nodes import NotingJob, Task, Workflows, add, workflows_host
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio


async def reason(jobs: Workflows, job_id: UUID, words: str) -> str:
    with anyio.fail_after(20):
        while words not in (found := (await jobs.detail(job_id)).waiting_for or ""):
            await anyio.sleep(0.02)
    return found


async def test_a_job_on_hold_says_how_many_it_waits_for_and_on_which_condition(
    database_url: str,
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Waiting") as workflow:
            quick = [add(workflow, f"quick {number}") for number in range(3)]
            slow = [add(workflow, f"slow {number}", waits=True) for number in range(5)]
            merged = add(workflow, "merge", after=[*quick, *slow])
            undo = add(workflow, "undo", after=merged, when="failed")
            clean = add(workflow, "clean", after=[merged, undo], when="finished")
        named = ", ".join(str(node.job_id) for node in slow[:3])
        assert await reason(jobs, merged.job_id, "5 of 8") == (
            "It waits for 5 of 8 jobs before it, and runs when all of them succeed: "
            f"{named} and 2 more."
        )
        assert await reason(jobs, undo.job_id, "") == (
            f"It waits for the job before it, and runs when that fails: {merged.job_id}."
        )
        assert await reason(jobs, clean.job_id, "") == (
            "It waits for 2 of 2 jobs before it, and runs when all of them have finished: "
            f"{merged.job_id}, {undo.job_id}."
        )
        assert await sent_for(jobs, merged.job_id) == 4
        detail = await jobs.detail(merged.job_id)
        assert (detail.workflow_id, detail.when) == (workflow.id, "succeeded")
        assert detail.after == tuple(node.job_id for node in (*quick, *slow))
        first = await jobs.detail(quick[0].job_id)
        assert (first.workflow_id, first.after, first.when) == (workflow.id, (), None)
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        page = (await client.get(f"/admin/jobs/{merged.job_id}")).text
        assert f'href="/admin/jobs/workflows/{workflow.id}"' in page
        for node in (*quick, *slow, undo, clean):
            assert f'href="/admin/jobs/{node.job_id}"' in page
        live = await client.get(f"/admin/jobs/events?watch=job&id={merged.job_id}&poll=true")
        state = live.json()["fragments"]["live_state"]
        assert "5 of 8" in state
        assert f'href="/admin/jobs/{slow[0].job_id}"' in state
        row = await client.get(f"/admin/jobs/events?watch=row&id={merged.job_id}&poll=true")
        assert "waits for other jobs" in str(row.json())
        jobs.probe.gate.set()
        await jobs.over(workflow.id)


async def test_a_continuation_links_to_the_job_before_it_and_back(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        first = await jobs.scheduling.enqueue(NotingJob, Task(name="first"))
        then = await jobs.scheduling.enqueue(NotingJob, Task(name="then"), after=first)
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        assert f"/admin/jobs/{then}" in (await client.get(f"/admin/jobs/{first}")).text
        assert f"/admin/jobs/{first}" in (await client.get(f"/admin/jobs/{then}")).text
        detail = await jobs.detail(then)
        assert (detail.workflow_id, detail.after, detail.when) == (None, (first,), "succeeded")
        plain = await jobs.scheduling.enqueue(NotingJob, Task(name="plain"))
        assert "before and after" not in (await client.get(f"/admin/jobs/{plain}")).text
        assert await sent_for(jobs, first) == 4
        assert await sent_for(jobs, plain) == 4


async def test_a_job_that_can_no_longer_run_links_to_the_one_that_decided_it(
    database_url: str,
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Failing") as workflow:
            bad = add(workflow, "bad", failures=9)
            never = add(workflow, "never", after=bad)
        await jobs.over(workflow.id)
        assert (await jobs.detail(never.job_id)).state is JobState.CANCELLED
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        page = (await client.get(f"/admin/jobs/{never.job_id}")).text
        link = f'<a href="/admin/jobs/{bad.job_id}">{bad.job_id}</a>'
        assert f"cancelled: the job {link} failed or was cancelled" in page


async def test_what_waits_for_others_is_neither_due_nor_an_alarm(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Waiting") as workflow:
            slow = add(workflow, "slow", waits=True)
            add(workflow, "later", after=slow, queue="nobody-serves-it")
        await jobs.reaches(slow.job_id, JobState.RUNNING)
        client = await jobs.host.client("BackgroundJobs.*")
        queues = {each["name"]: each for each in (await client.get("/api/jobs/queues")).json()}
        assert queues["nobody-serves-it"]["due"] == 0
        assert queues["nobody-serves-it"]["pending"] == 1
        assert queues["nobody-serves-it"]["oldest_due_at"] is None
        page = (await client.get("/admin/jobs")).text
        assert "nobody-serves-it" not in page
        assert "none overdue" in page
        assert "degraded" not in (await jobs.health())
        jobs.probe.gate.set()
        await jobs.over(workflow.id)
