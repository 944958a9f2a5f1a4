"""Retrying what failed revives what was cancelled because of it."""

from datetime import UTC, datetime

import anyio
import pytest

from background_jobs.support import add_worker, seen
from background_jobs.workflows.nodes import OnlyOneJob, Task, add, workflows_host
from modhost import new_id
from modhost_background_jobs.contracts import (
    JobNotFound,
    JobState,
    WorkflowConflict,
    WorkflowId,
    WorkflowState,
)
from modhost_background_jobs.model import LostLease
from modhost_background_jobs.storage import JobStore

pytestmark = pytest.mark.anyio


async def test_a_retried_job_revives_what_was_cancelled_because_of_it(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Again") as workflow:
            bad = add(workflow, "bad", failures=1)
            good = add(workflow, "good")
            merged = add(workflow, "merge", after=[good, bad])
            published = add(workflow, "publish", after=merged)
            add(workflow, "tell", after=published, when="failed")
        assert (await jobs.over(workflow.id)).state is WorkflowState.FAILED
        await jobs.querying.retry(bad.job_id)
        found = await jobs.over(workflow.id)
        assert (found.state, found.completed, found.total) == (WorkflowState.COMPLETED, 5, 5)
        assert (await jobs.detail(published.job_id)).error is None
    assert jobs.started()[-3:] == ["bad", "merge", "publish"]
    assert jobs.started().count("tell") == 1


async def test_what_another_job_stands_in_the_way_of_stays_cancelled(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Twice") as workflow:
            bad = [add(workflow, f"bad {number}", failures=1) for number in range(2)]
            merged = add(workflow, "merge", after=bad)
        await jobs.over(workflow.id)
        await jobs.querying.retry(bad[0].job_id)
        found = await jobs.over(workflow.id)
        assert (found.state, found.failed, found.cancelled) == (WorkflowState.FAILED, 1, 1)
        assert (await jobs.detail(merged.job_id)).state is JobState.CANCELLED
        await jobs.querying.retry(bad[1].job_id)
        found = await jobs.over(workflow.id)
    assert found.state is WorkflowState.COMPLETED
    assert jobs.started()[-1] == "merge"


async def test_a_job_is_revived_without_a_unique_key_that_another_has(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Unique") as workflow:
            bad = add(workflow, "bad", failures=1)
            workflow.add(OnlyOneJob, Task(name="one"), after=bad)
        await jobs.over(workflow.id)
        holder = await jobs.scheduling.enqueue(OnlyOneJob, Task(name="one", waits=True))
        await jobs.reaches(holder, JobState.RUNNING)
        await jobs.querying.retry(bad.job_id)
        with anyio.fail_after(60):
            while jobs.probe.started["one"] < 2:
                await anyio.sleep(0.01)
        assert await jobs.scheduling.enqueue(OnlyOneJob, Task(name="one")) == holder
        jobs.probe.gate.set()
        found = await jobs.over(workflow.id)
    assert (found.state, found.completed) == (WorkflowState.COMPLETED, 2)


async def test_a_whole_workflow_is_retried(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("All") as workflow:
            bad = [add(workflow, f"bad {number}", failures=1, waits=True) for number in range(3)]
            merged = add(workflow, "merge", after=bad)
            add(workflow, "publish", after=merged)
        jobs.probe.gate.set()
        await jobs.over(workflow.id)
        jobs.probe.gate = anyio.Event()
        again = await jobs.scheduling.retry_workflow(workflow.id)
        assert again.completed_at is None
        assert again.failed == 0
        jobs.probe.gate.set()
        found = await jobs.over(workflow.id)
        assert (found.state, found.completed) == (WorkflowState.COMPLETED, 5)
        with pytest.raises(WorkflowConflict, match="only one with failed jobs can"):
            await jobs.scheduling.retry_workflow(workflow.id)
        with pytest.raises(JobNotFound, match="There is no workflow"):
            await jobs.scheduling.retry_workflow(WorkflowId(new_id()))


async def test_what_somebody_has_cancelled_is_not_revived(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("By hand") as workflow:
            gate = add(workflow, "gate", waits=True)
            bad = add(workflow, "bad", failures=1)
            both = add(workflow, "both", after=[gate])
            add(workflow, "last", after=[both, bad])
        await jobs.scheduling.cancel(both.job_id)
        jobs.probe.gate.set()
        await jobs.over(workflow.id)
        await jobs.querying.retry(bad.job_id)
        found = await jobs.over(workflow.id)
    assert (found.state, found.completed, found.cancelled) == (WorkflowState.CANCELLED, 2, 2)


async def test_what_waits_for_several_ends_waits_for_the_retried_one_again(
    database_url: str,
) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Waits on") as workflow:
            gate = add(workflow, "gate", waits=True)
            bad = add(workflow, "bad", failures=1)
            last = add(workflow, "last", after=[gate, bad], when="finished")
        await jobs.reaches(bad.job_id, JobState.FAILED)
        await jobs.querying.retry(bad.job_id)
        await jobs.reaches(bad.job_id, JobState.COMPLETED)
        assert (await jobs.detail(last.job_id)).state is JobState.PENDING
        jobs.probe.gate.set()
        found = await jobs.over(workflow.id)
    assert (found.state, found.completed) == (WorkflowState.COMPLETED, 3)
    assert jobs.started()[-1] == "last"


async def test_a_job_that_leaves_quarantine_revives_what_was_cancelled_because_of_it(
    database_url: str,
) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        async with jobs.scheduling.workflow("Lives on") as workflow:
            first = add(workflow, "first")
            second = add(workflow, "second", after=first)
        store, now = await jobs.service(JobStore), datetime.now(UTC)
        await add_worker(store, "w2")
        job_type = (await jobs.detail(first.job_id)).job_type
        (claimed,) = await store.claim("w2", [job_type], 1, now)
        await store.note_begin(claimed.lease)
        await store.rescue(await seen(store, "w2"), 1, now)
        assert (await jobs.over(workflow.id)).state is WorkflowState.FAILED
        await store.take_back_rescues([LostLease(claimed.lease, counts=True)], now)
        found = await jobs.scheduling.get_workflow(WorkflowId(workflow.id))
        assert found is not None
        assert (found.state.is_final, found.failed, found.cancelled) == (False, 0, 0)
        for node in (first, second):
            assert (await jobs.detail(node.job_id)).state is JobState.PENDING
