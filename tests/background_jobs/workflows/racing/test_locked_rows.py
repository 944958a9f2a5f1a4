"""Ends that meet the open transactions of others on PostgreSQL: they hold up no other end."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from background_jobs.hung_client import rows_locked
from background_jobs.support import claim, new_job
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, NewJob
from modhost_background_jobs.model.workflow import NewWorkflow, Node
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import JobsLocked, JobStore
from moving_clock import START, MovingClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

LOCKS = {
    "workflow": lambda workflow, _: ("workflows", f"id = '{workflow}'"),
    "condition": lambda _, jobs: ("job_conditions", f"job_id = '{jobs[1]}'"),
    "job after it": lambda _, jobs: ("jobs", f"id = '{jobs[1]}'"),
    "job after that": lambda _, jobs: ("jobs", f"id = '{jobs[2]}'"),
}


def node(workflow: NewWorkflow, *after: NewJob) -> NewJob:
    return replace(new_job(), node=Node(workflow.id, tuple(each.id for each in after)))


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
async def test_an_end_that_meets_a_lock_holds_up_no_other(
    database: Database,
    database_url: str,
    store: JobStore,
    queue: DatabaseJobQueue,
    clock: MovingClock,
    lock: Callable[[UUID, list[UUID]], tuple[str, str]],
) -> None:
    workflow = NewWorkflow(new_id(), "three", START, None)
    first = node(workflow)
    second = node(workflow, first)
    third = node(workflow, second)
    workflows = DatabaseWorkflows(database, queue, clock)
    await workflows.store(workflow, [first, second, third], None)
    await store.insert([new_job()])
    ends = [
        Ended(each.lease, JobState.FAILED, "failed")
        for each in await claim(store, now=START + timedelta(seconds=1))
    ]
    (other,) = {each.lease.job_id for each in ends} - {first.id}
    async with rows_locked(
        database_url, *lock(workflow.id, [each.id for each in (first, second, third)])
    ):
        with pytest.raises(JobsLocked) as found:
            await store.end_awaited(ends, START)
        assert (found.value.written, found.value.locked) == ({other}, {first.id})
        # What was locked once is waited for no longer.
        took = []
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(JobsLocked):
                await store.end_awaited(ends, START)
            took.append(time.monotonic() - began)
        assert min(took) < 0.7
    assert await store.end_awaited(ends, START) == {first.id}
